"""Deployment: rolls its pods from one template to the next by resizing ReplicaSets, one for each template.

bounds, revisions    how many, and which ReplicaSets
rolling, scaling     one step of a rollout; a change of size
status               counts and conditions
sync                 which of these is due
"""

from __future__ import annotations

from jubako.cluster.controllers.controller import Controller, claimant, itself
from jubako.cluster.controllers.deployment.sync import concerned_by_pod, reconcile
from jubako.cluster.controllers.kinds import DEPLOYMENT, POD, REPLICA_SET
from jubako.cluster.controllers.selectors import selects

CONTROLLER = Controller(
    "deployment",
    {DEPLOYMENT: itself, REPLICA_SET: claimant(DEPLOYMENT, selects), POD: concerned_by_pod},
    reconcile,
)
