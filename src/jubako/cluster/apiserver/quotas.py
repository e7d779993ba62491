"""ResourceQuotas: what is made may not take more than a namespace is given.

Model:       what is used is what is stored and what is on its way into the store; status.used of a quota is only
             what its controller tells people. So nothing is taken that would have to be given back: a write that fails,
             and a kill -9, leave nothing behind.
Invariant:   of writes that run at once no more succeed than fit.
Concurrency: `check` and the beginning of `land` are one step of the event loop, and what lands counts until the store
             has answered, whether or not its client still waits.
Spec:        "Resource Quotas"; kubernetes/plugin/pkg/admission/resourcequota.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import identity, reading, stored
from jubako.cluster.controllers.quota.scopes import selects
from jubako.cluster.controllers.quota.usage import CLAIMS, PODS, SERVICES, measures, spent, usage, written
from jubako.cluster.controllers.scheduler.resources import Amounts, amounts
from jubako.cluster.store import AsyncStore, Event
from jubako.cluster.types.document import Object, at, mapping, objects, strings, text
from jubako.cluster.types.resources import resource

Write = Callable[[], Coroutine[Any, Any, Event]]
_GROWING = (SERVICES, CLAIMS)
"""What an update may make take more."""
_MUST_SAY = frozenset(("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"))


class _Coming(msgspec.Struct, frozen=True, eq=False):
    key: str
    document: Object


class Quotas:
    def __init__(self, store: AsyncStore, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        self._coming: list[_Coming] = []

    def check(self, request: Request, document: Object, old: Object | None) -> None:
        """Raises Failure (403) where a quota does not allow a write. `old` is None for what is new."""
        what = request.attributes.resource.group_resource
        if old is not None and what not in _GROWING:
            return
        for quota in self._of(request.attributes.namespace):
            given = amounts(mapping(at(quota, "spec", "hard")))
            hard = {name: most for name, most in given.items() if measures(what, name)}
            if hard and selects(quota, what, document):
                self._check(request, quota, hard, document, old)

    async def land(self, request: Request, document: Object, write: Write) -> Event:
        """Write what `check` let pass, with nothing awaited between the two."""
        asked = request.attributes
        if not asked.namespace or asked.subresource or not self._of(asked.namespace):
            return await write()
        coming = _Coming(stored.key(asked.resource, asked.namespace, identity.name_of(document)), document)
        self._coming.append(coming)
        task = asyncio.create_task(write())
        task.add_done_callback(lambda done: self._landed(coming, done))
        return await asyncio.shield(task)

    def _landed(self, coming: _Coming, done: asyncio.Task[Event]) -> None:
        self._coming.remove(coming)
        if not done.cancelled():
            done.exception()  # whoever waited for it has it, if anybody still did

    def _of(self, namespace: str) -> list[Object]:
        found = resource("", "v1", "resourcequotas")
        assert found is not None
        selection = reading.Selection(resource=found, namespace=namespace)
        return [stored.decode(item) for item in reading.listing(self._store, selection).items]

    def _check(
        self, request: Request, quota: Object, hard: dict[str, int], document: Object, old: Object | None
    ) -> None:
        what, now = request.attributes.resource.group_resource, self._clock().timestamp()
        name = text(at(quota, "metadata", "name"))
        if what == PODS and (unsaid := _unsaid(document, hard)):
            raise _refused(request, document, f"failed quota: {name}: must specify {unsaid}")
        wanted = usage(what, document, now)
        before = usage(what, old, now) if old is not None else Counter()
        grown = {each: wanted[each] - before[each] for each in hard if wanted[each] > before[each]}
        used = (self._others(request, quota, document, now) if grown else Counter()) + before
        beyond = sorted(each for each, more in grown.items() if used[each] + more > hard[each])
        if beyond:
            requested, taken, limited = (_told(beyond, each) for each in (grown, used, hard))
            why = f"exceeded quota: {name}, requested: {requested}, used: {taken}, limited: {limited}"
            raise _refused(request, document, why)

    def _others(self, request: Request, quota: Object, document: Object, now: float) -> Amounts:
        """What all but the object itself take; where one is being written, the more of what is and what will be."""
        asked = request.attributes
        selection = reading.Selection(resource=asked.resource, namespace=asked.namespace)
        versions = {item.key: [stored.decode(item)] for item in reading.listing(self._store, selection).items}
        prefix = stored.prefix(asked.resource, asked.namespace)
        for each in self._coming:
            if each.key.startswith(prefix):
                versions.setdefault(each.key, []).append(each.document)
        versions.pop(f"{prefix}{identity.name_of(document)}", None)
        total: Amounts = Counter()
        for found in versions.values():
            most: Amounts = Counter()
            for version in found:
                most |= spent(quota, asked.resource.group_resource, [version], now)
            total += most
        return total


def _unsaid(pod: Object, hard: Iterable[str]) -> str:
    """Which containers do not say what a quota counts: `cpu for: a,b; memory for: a`."""
    told = []
    for name in sorted(_MUST_SAY.intersection(hard)):
        field, _, plain = name.rpartition(".")
        silent = [
            text(each.get("name"))
            for group in ("containers", "initContainers")
            for each in objects(at(pod, "spec", group))
            if plain not in strings(at(each, "resources", field or "requests"))
        ]
        if silent:
            told.append(f"{name} for: {','.join(sorted(silent))}")
    return "; ".join(told)


def _told(names: Iterable[str], of: Mapping[str, int]) -> str:
    return ",".join(f"{name}={written(name, of.get(name, 0))}" for name in names)


def _refused(request: Request, document: Object, why: str) -> failures.Failure:
    return failures.forbidden(request.attributes.resource, identity.name_of(document), why)
