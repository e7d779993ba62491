"""The defaults that depend on other fields, by the message that they are of."""

from __future__ import annotations

from collections.abc import Callable

from jubako.cluster.types.defaulting import aliases, pods, services, workloads
from jubako.cluster.types.document import Object, mapping, text

Rule = Callable[[Object], None]
RBAC_GROUP = "rbac.authorization.k8s.io"


def _namespace(namespace: Object) -> None:
    """Every namespace carries its name as a label."""
    metadata = mapping(namespace.get("metadata"))
    if name := text(metadata.get("name")):
        labels = mapping(metadata.get("labels"))
        metadata["labels"] = {**labels, "kubernetes.io/metadata.name": name}


def _limits(item: Object) -> None:
    """A container's limit is the most that it may have, and its request that limit, or else the least."""
    if item.get("type") != "Container":
        return
    if default := {**mapping(item.get("max")), **mapping(item.get("default"))}:
        item["default"] = default
    if requests := {**mapping(item.get("min")), **default, **mapping(item.get("defaultRequest"))}:
        item["defaultRequest"] = requests


def _node_status(status: Object) -> None:
    if not status.get("allocatable") and status.get("capacity"):
        status["allocatable"] = dict(mapping(status["capacity"]))


def _subject(subject: Object) -> None:
    if subject.get("kind") in ("User", "Group") and not subject.get("apiGroup"):
        subject["apiGroup"] = RBAC_GROUP


RULES: dict[str, tuple[Rule, ...]] = {
    "apps/v1.DaemonSetUpdateStrategy": (workloads.daemon_set_strategy,),
    "apps/v1.DeploymentStrategy": (workloads.deployment_strategy,),
    "apps/v1.StatefulSetUpdateStrategy": (workloads.stateful_set_strategy,),
    "batch/v1.Job": (workloads.job,),
    "core/v1.Container": (pods.container,),
    "core/v1.EphemeralContainer": (pods.container,),
    "core/v1.LimitRangeItem": (_limits,),
    "core/v1.Namespace": (_namespace,),
    "core/v1.NodeSpec": (aliases.networks,),
    "core/v1.NodeStatus": (_node_status,),
    "core/v1.Pod": (pods.pod,),
    "core/v1.PodSpec": (aliases.service_account,),
    "core/v1.PodStatus": (aliases.addresses,),
    "core/v1.ReplicationController": (workloads.replication_controller,),
    "core/v1.ResourceRequirements": (pods.resources,),
    "core/v1.Secret": (aliases.secret,),
    "core/v1.Service": (services.service,),
    "core/v1.ServicePort": (services.port,),
    "core/v1.Volume": (pods.volume,),
    "rbac/v1.Subject": (_subject,),
}
