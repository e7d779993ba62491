"""The row of a pod. Its STATUS says in one word what matters most: a waiting container before the phase, an end
before both."""

from __future__ import annotations

from datetime import datetime

from jubako.cluster.types.columns.ages import human, moment
from jubako.cluster.types.columns.model import NONE, Columns, condition, containers, created, labels, name
from jubako.cluster.types.document import JSON, Object, at, integer, mapping, objects, text

_ENDED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}
_INITIALIZING = "PodInitializing"


class _Row:
    """Ready containers, restarts and status, collected while going through the containers of a pod."""

    def __init__(self, pod: Object) -> None:
        self.pod, self.status = pod, mapping(pod.get("status"))
        spec = mapping(pod.get("spec"))
        self.init = {text(each.get("name")): each for each in objects(spec.get("initContainers"))}
        self.sidecars = {key for key, each in self.init.items() if each.get("restartPolicy") == "Always"}
        self.total = len(objects(spec.get("containers"))) + len(self.sidecars)
        self.ready = 0
        self.restarts: list[tuple[int, datetime | None]] = []
        self.reason = text(self.status.get("reason")) or text(self.status.get("phase"))
        if any(each.get("reason") == "SchedulingGated" for each in objects(self.status.get("conditions"))):
            self.reason = "SchedulingGated"
        if not self._initializing() or condition(pod, "Initialized") == "True":
            self._running()
        self._deleted()

    def _initializing(self) -> bool:
        for n, container in enumerate(objects(self.status.get("initContainerStatuses"))):
            self.restarts.append(_restarts(container))
            if container.get("name") in self.sidecars and container.get("started"):
                self.ready += bool(container.get("ready"))
            elif (reason := self._init_reason(n, container)) is not None:
                self.reason = reason
                return True
        return False

    def _init_reason(self, position: int, container: Object) -> str | None:
        """Return what an init container that has not ended well makes of the pod; None if it has."""
        state = mapping(container.get("state"))
        if state.get("terminated") is not None:
            ended = mapping(state.get("terminated"))
            return f"Init:{_ending(ended)}" if integer(ended.get("exitCode")) else None
        waiting = text(at(state, "waiting", "reason"))
        return f"Init:{waiting}" if waiting not in ("", _INITIALIZING) else f"Init:{position}/{len(self.init)}"

    def _running(self) -> None:
        runs = False
        self.restarts = [
            _restarts(each)
            for each in objects(self.status.get("initContainerStatuses"))
            if each.get("name") in self.sidecars
        ]
        for container in reversed(objects(self.status.get("containerStatuses"))):
            self.restarts.append(_restarts(container))
            state = mapping(container.get("state"))
            if waiting := text(at(state, "waiting", "reason")):
                self.reason = waiting
            elif state.get("terminated") is not None:
                self.reason = _ending(mapping(state.get("terminated")))
            elif container.get("ready") and state.get("running") is not None:
                runs = True
                self.ready += 1
        if self.reason == "Completed" and runs:
            self.reason = "Running" if condition(self.pod, "Ready") == "True" else "NotReady"

    def _deleted(self) -> None:
        if at(self.pod, "metadata", "deletionTimestamp") is None:
            return
        if self.status.get("reason") == "NodeLost":
            self.reason = "Unknown"
        elif self.status.get("phase") not in _ENDED:
            self.reason = "Terminating"

    def restarted(self, now: datetime) -> str:
        count = sum(restarts for restarts, _ in self.restarts)
        last = max((when for _, when in self.restarts if when), default=None)
        return f"{count} ({human((now - last).total_seconds())} ago)" if count and last else str(count)


def _restarts(container: Object) -> tuple[int, datetime | None]:
    """Return how often a container was restarted, and when it last ended before that."""
    return integer(container.get("restartCount")), moment(at(container, "lastState", "terminated", "finishedAt"))


def _ending(terminated: Object) -> str:
    if reason := text(terminated.get("reason")):
        return reason
    if signal := integer(terminated.get("signal")):
        return f"Signal:{signal}"
    return f"ExitCode:{integer(terminated.get('exitCode'))}"


def status(pod: Object) -> str:
    """Return the STATUS of a pod: Running, Completed, CrashLoopBackOff, Init:0/1, Terminating, …"""
    return _Row(pod).reason


def _pod(pod: Object, now: datetime) -> list[JSON]:
    row = _Row(pod)
    cells: list[JSON] = [name(pod), f"{row.ready}/{row.total}", row.reason, row.restarted(now), created(pod, now)]
    for path in (("status", "podIP"), ("spec", "nodeName"), ("status", "nominatedNodeName")):
        cells.append(text(at(pod, *path)) or NONE)
    return [*cells, _gates(pod)]


def _gates(pod: Object) -> str:
    gates = [text(each.get("conditionType")) for each in objects(at(pod, "spec", "readinessGates"))]
    met = sum(condition(pod, gate) == "True" for gate in gates)
    return f"{met}/{len(gates)}" if gates else NONE


def _conditions(pod: Object) -> list[JSON]:
    phase = text(at(pod, "status", "phase"))
    if phase not in _ENDED:
        return []
    return [{"type": "Completed", "status": "True", "reason": phase, "message": _ENDED[phase]}]


def _template(document: Object, now: datetime) -> list[JSON]:
    template = document.get("template")
    return [name(document), *containers(template), labels(at(template, "metadata", "labels"))]


_POD = ("Name", "Ready", "Status", "Restarts", "Age", "IP+", "Node+", "Nominated Node+", "Readiness Gates+")
COLUMNS = {
    "core/v1.Pod": Columns(_POD, _pod, _conditions),
    "core/v1.PodTemplate": Columns(("Name", "Containers", "Images", "Pod Labels"), _template),
}
