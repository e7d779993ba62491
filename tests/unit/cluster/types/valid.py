"""One good document of each kind, and what a check says of a changed one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from jubako.cluster.types.decoding.body import conform
from jubako.cluster.types.defaulting import default
from jubako.cluster.types.resources import kind
from jubako.cluster.types.served import Kind
from jubako.cluster.types.validation import validate, validate_update

_CONTAINERS = [{"name": "c", "image": "nginx"}]
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": _CONTAINERS}}
_ENDING = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": _CONTAINERS, "restartPolicy": "Never"}}
_SELECTED = {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}
_RULES = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
_BOUND = {"roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]}
GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "Pod": ("v1", {"spec": {"containers": _CONTAINERS}}),
    "PodTemplate": ("v1", {"template": _TEMPLATE}),
    "ConfigMap": ("v1", {"data": {"a": "b"}}),
    "Secret": ("v1", {"data": {"a": "Yg=="}}),
    "Service": ("v1", {"spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}}),
    "Endpoints": ("v1", {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]}),
    "ServiceAccount": ("v1", {}),
    "Event": ("v1", {"involvedObject": {"kind": "Pod", "namespace": "default"}}),
    "Namespace": ("v1", {}),
    "Node": ("v1", {}),
    "PersistentVolume": (
        "v1",
        {"spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}},
    ),
    "PersistentVolumeClaim": (
        "v1",
        {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
    ),
    "LimitRange": (
        "v1",
        {"spec": {"limits": [{"type": "Container", "min": {"cpu": "50m"}, "max": {"cpu": "1"}}]}},
    ),
    "ResourceQuota": ("v1", {"spec": {"hard": {"pods": "2", "requests.cpu": "1"}}}),
    "Deployment": ("apps/v1", {"spec": _SELECTED}),
    "ReplicaSet": ("apps/v1", {"spec": _SELECTED}),
    "ReplicationController": ("v1", {"spec": {"template": _TEMPLATE}}),
    "Ingress": (
        "networking.k8s.io/v1",
        {
            "spec": {
                "rules": [
                    {
                        "host": "*.example.com",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {"service": {"name": "s", "port": {"number": 80}}},
                                }
                            ]
                        },
                    }
                ]
            }
        },
    ),
    "IngressClass": ("networking.k8s.io/v1", {"spec": {"controller": "example.com/c"}}),
    "DaemonSet": ("apps/v1", {"spec": _SELECTED}),
    "StatefulSet": ("apps/v1", {"spec": {**_SELECTED, "serviceName": "s"}}),
    "ControllerRevision": ("apps/v1", {"data": {}, "revision": 1}),
    "Job": ("batch/v1", {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": _ENDING}}),
    "CronJob": ("batch/v1", {"spec": {"schedule": "*/5 * * * *", "jobTemplate": {"spec": {"template": _ENDING}}}}),
    "Lease": ("coordination.k8s.io/v1", {"spec": {"holderIdentity": "x"}}),
    "EndpointSlice": ("discovery.k8s.io/v1", {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]}),
    "PodDisruptionBudget": ("policy/v1", {"spec": {"minAvailable": "50%", "selector": {}}}),
    "Role": ("rbac.authorization.k8s.io/v1", {"rules": [_RULES]}),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", {"rules": [_RULES, {"verbs": ["get"], "nonResourceURLs": ["/x"]}]}),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", _BOUND),
    "ClusterRoleBinding": ("rbac.authorization.k8s.io/v1", _BOUND),
    "RuntimeClass": ("node.k8s.io/v1", {"handler": "runc", "overhead": {"podFixed": {"memory": "16Mi"}}}),
    "PriorityClass": ("scheduling.k8s.io/v1", {"value": 1000}),
    "StorageClass": ("storage.k8s.io/v1", {"provisioner": "example.com/p"}),
    "Scale": ("autoscaling/v1", {"spec": {"replicas": 1}}),
    "TokenRequest": ("authentication.k8s.io/v1", {"spec": {}}),
    "SelfSubjectAccessReview": ("authorization.k8s.io/v1", {"spec": {"nonResourceAttributes": {}}}),
    "SubjectAccessReview": ("authorization.k8s.io/v1", {"spec": {"user": "u", "nonResourceAttributes": {}}}),
    "TokenReview": ("authentication.k8s.io/v1", {"spec": {"token": "t"}}),
}
_CLUSTER_WIDE = {
    "Namespace",
    "Node",
    "PersistentVolume",
    "ClusterRole",
    "ClusterRoleBinding",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "IngressClass",
}
Change = Callable[[Any], object]


def good(name: str) -> tuple[Kind, Any]:
    """Return a kind and a document of it that may be stored, as a server would have it."""
    api_version, body = GOOD[name]
    of = kind(api_version, name)
    assert of
    metadata = {"name": "x", **({} if name in _CLUSTER_WIDE else {"namespace": "default"})}
    document, problems = conform(of, {"metadata": metadata, **copy.deepcopy(body)})
    assert problems == []
    default(of, document)
    return of, document


def complaints(name: str, change: Change) -> list[str]:
    """Return what is said of the good document of a kind after a change."""
    of, document = good(name)
    change(document)
    default(of, document)
    return [str(error) for error in validate(of, document)]


def update_complaints(name: str, change: Change, before: Change | None = None) -> list[str]:
    of, old = good(name)
    old["metadata"] |= {"uid": "1", "resourceVersion": "7"}
    if before:
        before(old)
        default(of, old)
    document = copy.deepcopy(old)
    change(document)
    default(of, document)
    return [str(error) for error in validate_update(of, document, old)]


def put(path: str, value: object) -> Change:
    """Return the change that sets a field: `spec.containers.0.image`."""

    def change(document: Any) -> None:
        *way, last = [int(word) if word.isdecimal() else word for word in path.split("/")]
        for step in way:
            if isinstance(document, dict) and document.get(step) is None:
                document[step] = {}
            document = document[step]
        if isinstance(document, list) and isinstance(last, int) and last == len(document):
            document.append(value)
        else:
            document[last] = value

    return change


def drop(path: str) -> Change:
    def change(document: Any) -> None:
        *way, last = [int(word) if word.isdecimal() else word for word in path.split("/")]
        for step in way:
            document = document[step]
        del document[last]

    return change
