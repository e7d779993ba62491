"""StatefulSet: pods with identities, made and replaced in order.

identity, claims    what a pod of an ordinal is called and keeps
members             its pods in one view
steps               what comes next
sync                one call: revisions, status, steps
"""

from __future__ import annotations

from jubako.cluster.controllers.controller import Controller, claimant, itself, owner
from jubako.cluster.controllers.kinds import CONTROLLER_REVISION, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET
from jubako.cluster.controllers.selectors import selects
from jubako.cluster.controllers.statefulset.sync import concerned_by_claim, reconcile

CONTROLLER = Controller(
    "statefulset",
    {
        STATEFUL_SET: itself,
        POD: claimant(STATEFUL_SET, selects),
        CONTROLLER_REVISION: owner(STATEFUL_SET),
        PERSISTENT_VOLUME_CLAIM: concerned_by_claim,
    },
    reconcile,
)
