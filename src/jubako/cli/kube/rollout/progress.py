"""What a rollout waits for, in kubectl's words: pure functions of a Deployment, DaemonSet or StatefulSet."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from jubako.cluster.types.document import Object, at, integer, objects, text
from jubako.errors import FailedPrecondition, InvalidArgument

REVISION = "deployment.kubernetes.io/revision"


class Progress(msgspec.Struct, frozen=True):
    """A line to print, and whether the rollout is at its end."""

    message: str
    done: bool = False


def progress(document: Object, revision: int = 0) -> Progress:
    """Return how far the rollout is. Raises FailedPrecondition where it will not go on, or `revision` is another's."""
    kind = text(document.get("kind"))
    if kind not in _KINDS:
        raise InvalidArgument(f"no status viewer has been implemented for {kind}")
    return _KINDS[kind](document, revision)


def revision_of(document: Object) -> int:
    found = text(at(document, "metadata", "annotations", REVISION))
    return int(found) if found.isdecimal() else 0


def _name(document: Object) -> str:
    return f'"{text(at(document, "metadata", "name"))}"'


def _status(document: Object, *names: str) -> list[int]:
    return [integer(at(document, "status", name)) for name in names]


def _observed(document: Object) -> bool:
    return integer(at(document, "metadata", "generation")) <= integer(at(document, "status", "observedGeneration"))


def _deployment(document: Object, revision: int) -> Progress:
    name, running = _name(document), revision_of(document)
    if revision > 0 and revision != running:
        raise FailedPrecondition(f"desired revision ({revision}) is different from the running revision ({running})")
    if not _observed(document):
        return Progress("Waiting for deployment spec update to be observed...")
    conditions = objects(at(document, "status", "conditions"))
    if any(
        each.get("type") == "Progressing" and each.get("reason") == "ProgressDeadlineExceeded" for each in conditions
    ):
        raise FailedPrecondition(f"deployment {name} exceeded its progress deadline")
    wanted = integer(at(document, "spec", "replicas"), 1)
    total, updated, available = _status(document, "replicas", "updatedReplicas", "availableReplicas")
    waiting = f"Waiting for deployment {name} rollout to finish:"
    if updated < wanted:
        return Progress(f"{waiting} {updated} out of {wanted} new replicas have been updated...")
    if total > updated:
        return Progress(f"{waiting} {total - updated} old replicas are pending termination...")
    if available < updated:
        return Progress(f"{waiting} {available} of {updated} updated replicas are available...")
    return Progress(f"deployment {name} successfully rolled out", done=True)


def _daemon_set(document: Object, _revision: int) -> Progress:
    _require_rolling(document)
    if not _observed(document):
        return Progress("Waiting for daemon set spec update to be observed...")
    names = ("updatedNumberScheduled", "desiredNumberScheduled", "numberAvailable")
    updated, wanted, available = _status(document, *names)
    waiting = f"Waiting for daemon set {_name(document)} rollout to finish:"
    if updated < wanted:
        return Progress(f"{waiting} {updated} out of {wanted} new pods have been updated...")
    if available < wanted:
        return Progress(f"{waiting} {available} of {wanted} updated pods are available...")
    return Progress(f"daemon set {_name(document)} successfully rolled out", done=True)


def _stateful_set(document: Object, _revision: int) -> Progress:
    _require_rolling(document)
    if not integer(at(document, "status", "observedGeneration")) or not _observed(document):
        return Progress("Waiting for statefulset spec update to be observed...")
    wanted = integer(at(document, "spec", "replicas"), 1)
    ready, updated, current = _status(document, "readyReplicas", "updatedReplicas", "currentReplicas")
    if ready < wanted:
        return Progress(f"Waiting for {wanted - ready} pods to be ready...")
    partition = at(document, "spec", "updateStrategy", "rollingUpdate", "partition")
    if isinstance(partition, int):
        if updated < wanted - partition:
            short = f"{updated} out of {wanted - partition} new pods have been updated..."
            return Progress(f"Waiting for partitioned roll out to finish: {short}")
        return Progress(f"partitioned roll out complete: {updated} new pods have been updated...", done=True)
    new, old = (text(at(document, "status", name)) for name in ("updateRevision", "currentRevision"))
    if new != old:
        return Progress(f"waiting for statefulset rolling update to complete {updated} pods at revision {new}...")
    return Progress(f"statefulset rolling update complete {current} pods at revision {old}...", done=True)


def _require_rolling(document: Object) -> None:
    if at(document, "spec", "updateStrategy", "type") != "RollingUpdate":
        raise FailedPrecondition("rollout status is only available for RollingUpdate strategy type")


_KINDS: dict[str, Callable[[Object, int], Progress]] = {
    "Deployment": _deployment,
    "DaemonSet": _daemon_set,
    "StatefulSet": _stateful_set,
}
