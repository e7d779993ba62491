"""ReplicaSet, and ReplicationController before it: so many pods of a template, neither more nor less.

Spec: kubernetes/pkg/controller/replicaset; at most 500 creations or deletions at once.
"""

from __future__ import annotations

from collections.abc import Callable

from jubako.cluster.controllers import pods
from jubako.cluster.controllers.actions import Action, set_status, soonest
from jubako.cluster.controllers.conditions import condition, with_condition, without
from jubako.cluster.controllers.controller import Controller, claimant, itself
from jubako.cluster.controllers.kinds import POD, REPLICA_SET, REPLICATION_CONTROLLER, Key, Kind
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.selectors import Claim, claim, selects
from jubako.cluster.objects import (
    Object,
    generation,
    is_deleting,
    labels,
    listed,
    mapping,
    namespace,
    number,
    objects,
    strings,
    without_nones,
)

BURST = 500


def _controller(name: str, kind: Kind, accepts: Callable[[Object, Object], bool]) -> Controller:
    def reconcile(observed: Observed, key: Key) -> list[Action]:
        replica_set = observed.get(kind, key)
        if replica_set is None:
            return []
        return _reconcile(observed, replica_set, claim(observed, POD, replica_set, accepts))

    return Controller(name, {kind: itself, POD: claimant(kind, accepts)}, reconcile)


def _reconcile(observed: Observed, replica_set: Object, claimed: Claim) -> list[Action]:
    active = [pod for pod in claimed.objects if pods.is_active(pod)]
    difference = number(replica_set, "spec", "replicas", absent=1) - len(active)
    # The status comes first: what follows may be refused, and the next attempt then tells of that.
    status = set_status(replica_set, _status(observed, replica_set, active, difference))
    changes = [] if is_deleting(replica_set) else _manage(replica_set, active, difference)
    wait = pods.until_available(active, number(replica_set, "spec", "minReadySeconds"), observed.now)
    return [*claimed.actions, *status, *changes, *soonest(wait)]


def _manage(replica_set: Object, active: list[Object], difference: int) -> list[Action]:
    if difference >= 0:
        return [_create(replica_set)] * min(difference, BURST)
    surplus = sorted(active, key=pods.deletion_rank)[: min(-difference, BURST)]
    return [pods.deletion(replica_set, pod) for pod in surplus]


def _create(replica_set: Object) -> Action:
    template = mapping(replica_set, "spec", "template")
    pod = pods.from_template(template, replica_set, generate=pods.prefix(replica_set))
    return pods.creation(replica_set, pod)


def _status(observed: Observed, replica_set: Object, active: list[Object], difference: int) -> Object:
    wanted = strings(replica_set, "spec", "template", "metadata", "labels").items()
    ready = [pod for pod in active if pods.is_ready(pod)]
    min_ready_s = number(replica_set, "spec", "minReadySeconds")
    available = sum(pods.is_available(pod, min_ready_s, observed.now) for pod in ready)
    return without_nones(
        {
            **mapping(replica_set, "status"),
            "replicas": len(active),
            "fullyLabeledReplicas": sum(wanted <= labels(pod).items() for pod in active) or None,
            "readyReplicas": len(ready) or None,
            "availableReplicas": available or None,
            "observedGeneration": generation(replica_set),
            "conditions": listed(_conditions(observed, replica_set, difference)) or None,
        }
    )


def _conditions(observed: Observed, replica_set: Object, difference: int) -> list[Object]:
    """ReplicaFailure stands from a refused creation or deletion until an attempt is not refused."""
    known = objects(replica_set, "status", "conditions")
    if not observed.failure or not difference:
        return without(known, "ReplicaFailure")
    if condition(replica_set, "ReplicaFailure"):
        return known
    reason = "FailedCreate" if difference > 0 else "FailedDelete"
    return with_condition(known, "ReplicaFailure", "True", reason, observed.failure, observed.now)


def _selects_labels(controller: Object, pod: Object) -> bool:
    wanted = strings(controller, "spec", "selector").items()
    return namespace(controller) == namespace(pod) and bool(wanted) and wanted <= labels(pod).items()


CONTROLLER = _controller("replicaset", REPLICA_SET, selects)
REPLICATION = _controller("replication", REPLICATION_CONTROLLER, _selects_labels)
