"""The kinds that controllers speak of, each by its apiVersion and name."""

from __future__ import annotations

from typing import NamedTuple

from jubako.cluster.objects import Object, name, namespace, text


class Kind(NamedTuple):
    api_version: str
    name: str

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


class Key(NamedTuple):
    """Which object of a kind; the namespace of what has none is "". A controller of many kinds says of which."""

    namespace: str
    name: str
    kind: Kind | None = None

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def kind_of(document: Object) -> Kind:
    return Kind(text(document, "apiVersion"), text(document, "kind"))


def key_of(document: Object) -> Key:
    return Key(namespace(document), name(document))


NAMESPACE = Kind("v1", "Namespace")
NODE = Kind("v1", "Node")
POD = Kind("v1", "Pod")
SERVICE = Kind("v1", "Service")
ENDPOINTS = Kind("v1", "Endpoints")
CONFIG_MAP = Kind("v1", "ConfigMap")
SECRET = Kind("v1", "Secret")
SERVICE_ACCOUNT = Kind("v1", "ServiceAccount")
EVENT = Kind("v1", "Event")
PERSISTENT_VOLUME = Kind("v1", "PersistentVolume")
PERSISTENT_VOLUME_CLAIM = Kind("v1", "PersistentVolumeClaim")
REPLICA_SET = Kind("apps/v1", "ReplicaSet")
REPLICATION_CONTROLLER = Kind("v1", "ReplicationController")
DEPLOYMENT = Kind("apps/v1", "Deployment")
STATEFUL_SET = Kind("apps/v1", "StatefulSet")
DAEMON_SET = Kind("apps/v1", "DaemonSet")
CONTROLLER_REVISION = Kind("apps/v1", "ControllerRevision")
JOB = Kind("batch/v1", "Job")
CRON_JOB = Kind("batch/v1", "CronJob")
ENDPOINT_SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice")
LEASE = Kind("coordination.k8s.io/v1", "Lease")
STORAGE_CLASS = Kind("storage.k8s.io/v1", "StorageClass")
POD_DISRUPTION_BUDGET = Kind("policy/v1", "PodDisruptionBudget")
RESOURCE_QUOTA = Kind("v1", "ResourceQuota")
CLUSTER_ROLE = Kind("rbac.authorization.k8s.io/v1", "ClusterRole")
