"""All controllers of a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jubako.cluster.controllers import (
    accounts,
    aggregation,
    balancers,
    cronjob,
    daemonset,
    deployment,
    disruption,
    garbage,
    job,
    namespaces,
    own,
    quota,
    replicaset,
    scheduler,
    statefulset,
    ttl,
)
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.endpoints import mirroring, slices
from jubako.cluster.controllers.endpoints import objects as endpoints
from jubako.cluster.controllers.kinds import Kind
from jubako.cluster.controllers.node import eviction, health
from jubako.cluster.controllers.own import OwnService
from jubako.cluster.controllers.volumes import binder, ephemeral, lifecycle

WORKLOADS = (
    deployment.CONTROLLER,
    replicaset.CONTROLLER,
    replicaset.REPLICATION,
    statefulset.CONTROLLER,
    daemonset.CONTROLLER,
    job.CONTROLLER,
    job.ORPHANS,
    cronjob.CONTROLLER,
    ttl.CONTROLLER,
)
SERVICES = (slices.CONTROLLER, endpoints.CONTROLLER, mirroring.CONTROLLER)
NODES = (scheduler.CONTROLLER, health.CONTROLLER, eviction.CONTROLLER, disruption.CONTROLLER)
VOLUMES = (binder.CONTROLLER, ephemeral.CONTROLLER, lifecycle.CLAIMS, lifecycle.VOLUMES)

_SAME_EVENTS = Kind("events.k8s.io/v1", "Event")
"""These are the core group's Events, served once more."""


def controllers(kinds: Iterable[Kind], ca_bundle: str, services: Sequence[OwnService] = ()) -> list[Controller]:
    """`kinds` are all that the API server has, those of custom resources too; `ca_bundle` is its authority's PEM;
    `services` are the cluster's own."""
    every = [kind for kind in kinds if kind != _SAME_EVENTS]
    of_spaces = (accounts.ACCOUNTS, accounts.root_ca(ca_bundle), namespaces.controller(every), quota.controller(every))
    of_machine = [balancers.controller(*own.place_of(services))] if services else []
    of_all = (*of_spaces, aggregation.CONTROLLER, own.controller(services))
    return [*WORKLOADS, *SERVICES, *NODES, *VOLUMES, *of_all, *of_machine, garbage.controller(every)]
