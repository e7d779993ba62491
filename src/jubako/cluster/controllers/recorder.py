"""Events: what controllers tell of, written so that what repeats is counted.

Model:     the same thing said again of the same object raises the count of its Event; new things of one object are told
           25 at once and one each 5 minutes after that.
Invariant: telling is best effort: an Event that cannot be written is dropped, and nothing waits for it.
Spec:      k8s.io/client-go/tools/record, "EventCorrelator".
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from jubako.cluster.controllers.actions import Create, EmitEvent, Patch
from jubako.cluster.controllers.kinds import EVENT, Key, key_of
from jubako.cluster.objects import Object, name, namespace, resource_version, stamp, text, uid, without_nones

BURST = 25
REFILL_S = 300.0
_REMEMBERED = 4096


@dataclass
class _Told:
    key: Key
    count: int


@dataclass
class _Allowance:
    tokens: float
    since: float


class Recorder:
    """Makes the writes that tell of events; `component` is who says it."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, ...], _Told] = OrderedDict()
        self._allowances: OrderedDict[tuple[str, str], _Allowance] = OrderedDict()
        self._written = 0

    def record(self, component: str, event: EmitEvent, now: float) -> Create | Patch | None:
        """The write for an event; None when its object has had its share."""
        if not self._allows((component, uid(event.regarding)), now):
            return None
        said = (component, uid(event.regarding), event.type, event.reason, event.message)
        told = self._told.pop(said, None)
        if told is None:
            self._written += 1
            document = _event(component, event, now, self._written)
            self._told[said] = _Told(key_of(document), 1)
            _trim(self._told)
            return Create(document)
        told.count += 1
        self._told[said] = told
        return Patch(EVENT, told.key, "", {"count": told.count, "lastTimestamp": stamp(now)})

    def lost(self, key: Key) -> None:
        """An Event that was to be counted up is gone: the next time it is told anew."""
        self._told = OrderedDict((said, told) for said, told in self._told.items() if told.key != key)

    def _allows(self, source: tuple[str, str], now: float) -> bool:
        allowance = self._allowances.pop(source, None) or _Allowance(BURST, now)
        allowance.tokens = min(BURST, allowance.tokens + (now - allowance.since) / REFILL_S)
        allowance.since = now
        self._allowances[source] = allowance
        _trim(self._allowances)
        if allowance.tokens < 1:
            return False
        allowance.tokens -= 1
        return True


def _trim(remembered: OrderedDict[tuple[str, ...], _Told] | OrderedDict[tuple[str, str], _Allowance]) -> None:
    while len(remembered) > _REMEMBERED:
        remembered.popitem(last=False)


def _event(component: str, event: EmitEvent, now: float, number: int) -> Object:
    about = event.regarding
    where = namespace(about) or "default"
    return without_nones(
        {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.name,
            "metadata": {"name": f"{name(about)}.{int(now * 1e9) + number:x}", "namespace": where},
            "involvedObject": without_nones(
                {
                    "apiVersion": text(about, "apiVersion"),
                    "kind": text(about, "kind"),
                    "namespace": namespace(about) or None,
                    "name": name(about),
                    "uid": uid(about),
                    "resourceVersion": resource_version(about) or None,
                }
            ),
            "type": event.type,
            "reason": event.reason,
            "message": event.message[:1024],
            "action": event.action or None,
            "source": {"component": component},
            "reportingComponent": component,
            "firstTimestamp": stamp(now),
            "lastTimestamp": stamp(now),
            "count": 1,
        }
    )
