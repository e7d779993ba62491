"""The conditions of a pod: what of its way to being ready it has behind it.

Spec: "Pod Lifecycle", Pod conditions and readiness gates; k8s.io/kubernetes/pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from jubako.cluster.node import decide
from jubako.cluster.node.decide import Situation, initial, name_of
from jubako.cluster.types import times
from jubako.cluster.types.document import JSON, Object, mapping, objects, text

_TERMINAL = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}


class _Condition(NamedTuple):
    kind: str
    holds: bool
    reason: str = ""
    message: str = ""


def conditions(of: Situation, found: Object) -> list[JSON]:
    """Return those of a status that has all but them; what others have set stays."""
    kept = {text(each.get("type")): each for each in objects(mapping(of.pod.get("status")).get("conditions"))}
    ready = _containers_ready(found)
    gated = ready if not ready.holds else _gates(of, kept) or ready
    wanted = (
        _Condition("PodReadyToStartContainers", of.seen.ready),
        _initialized(of, text(found["phase"])),
        gated._replace(kind="Ready"),
        ready,
        _Condition("PodScheduled", True),
    )
    made = [_written(of, kept.pop(each.kind, {}), each) for each in wanted]
    return [*made, *kept.values()]


def is_initialized(of: Situation) -> bool:
    return not _uninitialized(of)


def moment(seconds: float) -> str:
    return times.render(datetime.fromtimestamp(seconds, UTC))


def _uninitialized(of: Situation) -> list[str]:
    return [name_of(each) for each in initial(of.pod) if not (decide.is_done(of, each) or decide.is_up(of, each))]


def _initialized(of: Situation, phase: str) -> _Condition:
    missing = _uninitialized(of)
    if phase == "Succeeded":
        return _Condition("Initialized", True, "PodCompleted")
    if not missing:
        return _Condition("Initialized", True)
    message = f"containers with incomplete status: [{' '.join(missing)}]"
    return _Condition("Initialized", False, "ContainersNotInitialized", message)


def _containers_ready(found: Object) -> _Condition:
    if reason := _TERMINAL.get(text(found["phase"])):
        return _Condition("ContainersReady", False, reason)
    statuses = objects(found["containerStatuses"])
    unready = [text(each.get("name")) for each in statuses if each.get("ready") is not True]
    if not unready:
        return _Condition("ContainersReady", True)
    message = f"containers with unready status: [{' '.join(unready)}]"
    return _Condition("ContainersReady", False, "ContainersNotReady", message)


def _gates(of: Situation, known: dict[str, Object]) -> _Condition | None:
    """Return why the pod's readiness gates keep it from being ready."""
    wrong = list(_closed(of, known))
    return _Condition("Ready", False, "ReadinessGatesNotReady", ", ".join(wrong)) if wrong else None


def _closed(of: Situation, known: dict[str, Object]) -> Iterator[str]:
    for gate in objects(mapping(of.pod.get("spec")).get("readinessGates")):
        kind = text(gate.get("conditionType"))
        if kind not in known:
            yield f'corresponding condition of pod readiness gate "{kind}" does not exist.'
        elif known[kind].get("status") != "True":
            yield f'the status of pod readiness gate "{kind}" is not "True", but {text(known[kind].get("status"))}'


def _written(of: Situation, before: Object, condition: _Condition) -> Object:
    value = "True" if condition.holds else "False"
    changed = before.get("status") != value
    made: Object = {"type": condition.kind, "status": value, "lastProbeTime": None}
    made["lastTransitionTime"] = moment(of.now) if changed else before.get("lastTransitionTime")
    for name, text_ in (("reason", condition.reason), ("message", condition.message)):
        if text_:
            made[name] = text_
    return made
