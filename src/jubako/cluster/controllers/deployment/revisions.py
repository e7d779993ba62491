"""Revisions of a Deployment: its ReplicaSets, which is the new one, and the annotations that tell their history.

A ReplicaSet is named by a hash of the template (and of the count of collisions), so that making it twice is refused
by its name. Undo is no verb of the server: kubectl puts an old ReplicaSet's template into the Deployment, and that
ReplicaSet becomes the new one, with a new revision.
Spec: kubernetes/pkg/controller/deployment/util.
"""

from __future__ import annotations

from dataclasses import dataclass

from jubako.cluster.controllers.history import fingerprint
from jubako.cluster.controllers.kinds import POD, REPLICA_SET
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.pods import is_active, is_available
from jubako.cluster.objects import (
    Object,
    annotated,
    created,
    drop,
    labels,
    mapping,
    name,
    namespace,
    number,
    owner_reference,
    put,
    strings,
    whole,
)

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
_OWN = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MAXIMUM)


@dataclass(frozen=True)
class Sized:
    """A ReplicaSet with its pods counted in the same view: its status would tell the same, later.

    held       how many pods it has or is about to make: what a surge counts
    available  how many of its available pods it will keep
    """

    replica_set: Object
    replicas: int
    held: int
    available: int

    @classmethod
    def of(cls, observed: Observed, replica_set: Object) -> Sized:
        active = [pod for pod in observed.controlled(POD, replica_set) if is_active(pod)]
        min_ready_s = number(replica_set, "spec", "minReadySeconds")
        available = sum(is_available(pod, min_ready_s, observed.now) for pod in active)
        replicas = number(replica_set, "spec", "replicas", absent=1)
        return cls(replica_set, replicas, max(replicas, len(active)), min(replicas, available))

    @property
    def name(self) -> str:
        return name(self.replica_set)


@dataclass(frozen=True)
class Revisions:
    """A Deployment's ReplicaSets; `old` from the oldest to the youngest."""

    new: Sized | None
    old: list[Sized]

    @property
    def all(self) -> list[Sized]:
        return [*self.old, self.new] if self.new else self.old


def revisions(observed: Observed, deployment: Object, owned: list[Object]) -> Revisions:
    ordered = sorted(owned, key=lambda each: (created(each), name(each)))
    # Of several with this template (after an upgrade of the hash) the oldest is the new one, always the same.
    new = next((each for each in ordered if has_template(each, deployment)), None)
    old = [Sized.of(observed, each) for each in ordered if each is not new]
    return Revisions(Sized.of(observed, new) if new else None, old)


def has_template(replica_set: Object, deployment: Object) -> bool:
    return _template(replica_set) == _template(deployment)


def _template(of: Object) -> Object:
    template = drop(mapping(of, "spec", "template"), "metadata", "labels", HASH)
    if not mapping(template, "metadata", "labels"):
        template = drop(template, "metadata", "labels")
    return drop(template, "metadata", "creationTimestamp")


def template_hash(deployment: Object) -> str:
    return fingerprint(_template(deployment), number(deployment, "status", "collisionCount"))


def revision(replica_set: Object) -> int:
    return whole(annotated(replica_set).get(REVISION, "")) or 0


def next_revision(old: list[Sized]) -> int:
    return max((revision(each.replica_set) for each in old), default=0) + 1


def copied_annotations(deployment: Object) -> dict[str, str]:
    """The Deployment's annotations that its ReplicaSet shares."""
    return {key: value for key, value in annotated(deployment).items() if key not in _OWN}


def size_annotations(replicas: int, surge: int) -> dict[str, str]:
    return {DESIRED: str(replicas), MAXIMUM: str(replicas + surge)}


def renewed_annotations(deployment: Object, new: Object, number_: int) -> dict[str, str]:
    """The annotations of the new ReplicaSet as they have to be: a return to it is a new revision of it."""
    known = annotated(new)
    wanted = known | copied_annotations(deployment)
    if (before := revision(new)) < number_:
        wanted[REVISION] = str(number_)
        if before:
            wanted[HISTORY] = ",".join(filter(None, [known.get(HISTORY, ""), str(before)]))
    return wanted


def made(deployment: Object, replicas: int, surge: int, number_: int) -> Object:
    """Return the new ReplicaSet of a Deployment."""
    hash_ = template_hash(deployment)
    template = put(mapping(deployment, "spec", "template"), hash_, "metadata", "labels", HASH)
    described = copied_annotations(deployment) | size_annotations(replicas, surge) | {REVISION: str(number_)}
    metadata: Object = {
        "name": f"{name(deployment)}-{hash_}",
        "namespace": namespace(deployment),
        "labels": {**labels({"metadata": mapping(template, "metadata")})},
        "annotations": {**described},
        "ownerReferences": [owner_reference(deployment)],
    }
    spec: Object = {
        "selector": put(mapping(deployment, "spec", "selector"), hash_, "matchLabels", HASH),
        "template": template,
    }
    if min_ready_s := number(deployment, "spec", "minReadySeconds"):
        spec["minReadySeconds"] = min_ready_s
    return {"apiVersion": REPLICA_SET.api_version, "kind": REPLICA_SET.name, "metadata": metadata, "spec": spec}


def pods_of(observed: Observed, old: list[Sized]) -> list[Object]:
    return [pod for each in old for pod in observed.controlled(POD, each.replica_set)]


def selects_all(deployment: Object) -> bool:
    selector = mapping(deployment, "spec", "selector")
    return not strings(selector, "matchLabels") and not selector.get("matchExpressions")
