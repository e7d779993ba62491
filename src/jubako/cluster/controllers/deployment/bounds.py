"""How many pods a Deployment may have too many and too few, and how its ReplicaSets are resized.

Spec: maxSurge rounds up, maxUnavailable down; when both come to nothing, one may be unavailable.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, EmitEvent, Update
from jubako.cluster.controllers.deployment.revisions import Sized, size_annotations
from jubako.cluster.objects import JSON, Object, annotated, at, name, number, put, text, whole

FOREVER_S = 2**31 - 1


def replicas_of(deployment: Object) -> int:
    return number(deployment, "spec", "replicas", absent=1)


def is_rolling(deployment: Object) -> bool:
    return text(deployment, "spec", "strategy", "type") != "Recreate"


def scaled(value: JSON, total: int, *, up: bool) -> int:
    """A count, or a percentage of a total."""
    percent = whole(value.removesuffix("%")) if isinstance(value, str) and value.endswith("%") else None
    if percent is not None:
        return -(-percent * total // 100) if up else percent * total // 100
    return value if isinstance(value, int) else 0


def fenceposts(deployment: Object) -> tuple[int, int]:
    """Return maxSurge and maxUnavailable as counts."""
    rolling = at(deployment, "spec", "strategy", "rollingUpdate")
    replicas = replicas_of(deployment)
    if not is_rolling(deployment):
        return 0, 0
    surge, unavailable = at(rolling, "maxSurge"), at(rolling, "maxUnavailable")
    most = scaled("25%" if surge is None else surge, replicas, up=True)
    fewest = scaled("25%" if unavailable is None else unavailable, replicas, up=False)
    return most, min(fewest or (0 if most else 1), replicas)


def max_surge(deployment: Object) -> int:
    return fenceposts(deployment)[0]


def max_unavailable(deployment: Object) -> int:
    """Never more than there are replicas."""
    return fenceposts(deployment)[1] if replicas_of(deployment) else 0


def resize(deployment: Object, of: Sized, replicas: int) -> list[Action]:
    """Give a ReplicaSet so many replicas, and note in it for which size of the Deployment."""
    sizes = size_annotations(replicas_of(deployment), max_surge(deployment))
    described = annotated(of.replica_set)
    if of.replicas == replicas and sizes.items() <= described.items():
        return []
    document = put(of.replica_set, {**(described | sizes)}, "metadata", "annotations")
    changed: list[Action] = [Update(put(document, replicas, "spec", "replicas"))]
    return changed if of.replicas == replicas else [*changed, scaling(deployment, of.name, of.replicas, replicas)]


def scaling(deployment: Object, replica_set: str, before: int, after: int) -> EmitEvent:
    way = "up" if after > before else "down"
    return EmitEvent(
        deployment, "ScalingReplicaSet", f"Scaled {way} replica set {replica_set} from {before} to {after}"
    )


def deadline_s(deployment: Object) -> int | None:
    """How long a rollout may make no progress; None is for ever."""
    seconds = number(deployment, "spec", "progressDeadlineSeconds", absent=FOREVER_S)
    return None if seconds == FOREVER_S else seconds


def quoted(deployment: Object, new: Sized | None) -> str:
    """How conditions name what progresses."""
    return f'ReplicaSet "{new.name}"' if new else f'Deployment "{name(deployment)}"'
