"""What is in every cluster before anybody made anything.

Spec: "Initial namespaces"; "Using RBAC Authorization", Default roles and role bindings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.caller import MASTERS, Request, User
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.types.document import JSON, Object, mapping
from jubako.cluster.types.resources import resource
from jubako.cluster.types.served import Resource
from jubako.cluster.types.storage import IS_DEFAULT

_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease", "default")
_READ, _WRITE = ("get", "list", "watch"), ("create", "delete", "deletecollection", "patch", "update")
_RBAC = "rbac.authorization.k8s.io"
SYSTEM = User(name="system:apiserver", groups=(MASTERS,))


async def bootstrap(api: Api, volumes: Path) -> None:
    """Make what is missing; what somebody has changed stays as it is. `volumes` is where those of claims are made."""
    for group, plural, document in [*_documents(), _storage(volumes)]:
        found = resource(group, "v1", plural)
        assert found is not None
        await _make(api, found, document)


async def _make(api: Api, found: Resource, document: Object) -> None:
    request = Request(attributes=Attributes(verb="create", resource=found), user=SYSTEM, manager="kube-apiserver")
    try:
        await api.writer.create(request, document)
    except Failure as failed:
        if failed.code != 409:
            raise


def _documents() -> Iterator[tuple[str, str, Object]]:
    for name in _NAMESPACES:
        yield "", "namespaces", _named("v1", "Namespace", name)
    for name, rules in _roles():
        role = _named(f"{_RBAC}/v1", "ClusterRole", name, labels={"kubernetes.io/bootstrapping": "rbac-defaults"})
        yield _RBAC, "clusterroles", {**role, "rules": rules}
    for name, role_name, groups in _BINDINGS:
        yield _RBAC, "clusterrolebindings", _binding(name, role_name, groups)
    for name, value, description in _PRIORITIES:
        class_ = _named("scheduling.k8s.io/v1", "PriorityClass", name)
        yield "scheduling.k8s.io", "priorityclasses", {**class_, "value": value, "description": description}


def _storage(volumes: Path) -> tuple[str, str, Object]:
    """The class of claims that name none. Its volumes are directories: what a claim asks for is no limit."""
    class_ = _named("storage.k8s.io/v1", "StorageClass", "standard")
    mapping(class_["metadata"])["annotations"] = {IS_DEFAULT: "true"}
    class_ |= {"provisioner": "jubako.io/local", "parameters": {"path": str(volumes)}}
    return "storage.k8s.io", "storageclasses", {**class_, "volumeBindingMode": "WaitForFirstConsumer"}


def _named(api_version: str, kind: str, name: str, labels: dict[str, str] | None = None) -> Object:
    metadata: Object = {"name": name}
    if labels:
        metadata["labels"] = dict(labels)
    return {"kind": kind, "apiVersion": api_version, "metadata": metadata}


_PRIORITIES = (
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
)
_ISSUER = "system:service-account-issuer-discovery"
_BINDINGS = (
    (_ISSUER, _ISSUER, ("system:serviceaccounts",)),
    ("cluster-admin", "cluster-admin", (MASTERS,)),
    ("system:discovery", "system:discovery", ("system:authenticated",)),
    ("system:basic-user", "system:basic-user", ("system:authenticated",)),
    ("system:public-info-viewer", "system:public-info-viewer", ("system:authenticated", "system:unauthenticated")),
)


def _roles() -> Iterator[tuple[str, list[JSON]]]:
    yield "cluster-admin", [_rule("*", "*", "*"), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    yield "system:discovery", [_paths("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_HEALTH)]
    yield "system:public-info-viewer", [_paths(*_HEALTH)]
    yield _ISSUER, [_paths("/.well-known/openid-configuration", "/openid/v1/jwks", "/openid/v1/jwks/")]
    reviews = ("selfsubjectaccessreviews", "selfsubjectrulesreviews")
    yield (
        "system:basic-user",
        [
            _rule("authorization.k8s.io", reviews, "create"),
            _rule("authentication.k8s.io", "selfsubjectreviews", "create"),
        ],
    )
    yield "view", [_rule(group, plurals, _READ) for group, plurals in _VIEWED]
    edited = [
        _rule(group, _theirs(plurals), (*_READ, *_WRITE)) for group, plurals in _VIEWED if group != "events.k8s.io"
    ]
    edited.append(_rule("", _GIVEN, _READ))
    secrets = _rule("", ("secrets", "serviceaccounts"), (*_READ, *_WRITE))
    streams = _rule("", ("pods/attach", "pods/exec", "pods/portforward", "pods/eviction"), ("get", "create"))
    yield "edit", [*edited, secrets, streams]
    granted = _rule(_RBAC, ("roles", "rolebindings"), (*_READ, *_WRITE))
    yield (
        "admin",
        [*edited, secrets, streams, granted, _rule("authorization.k8s.io", "localsubjectaccessreviews", "create")],
    )


_HEALTH = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_VIEWED = (
    (
        "",
        (
            "bindings", "configmaps", "endpoints", "events", "limitranges", "namespaces", "persistentvolumeclaims",
            "pods", "pods/log", "pods/status", "replicationcontrollers", "resourcequotas", "resourcequotas/status",
            "serviceaccounts", "services",
        ),
    ),
    (
        "apps",
        (
            "controllerrevisions", "daemonsets", "deployments", "deployments/scale", "replicasets",
            "replicasets/scale", "statefulsets", "statefulsets/scale",
        ),
    ),
    ("batch", ("cronjobs", "jobs")),
    ("discovery.k8s.io", ("endpointslices",)),
    ("events.k8s.io", ("events",)),
    ("policy", ("poddisruptionbudgets",)),
)  # fmt: skip


# What whoever works in a namespace is given, and can not give himself.
_GIVEN = ("limitranges", "namespaces", "resourcequotas", "resourcequotas/status")


def _theirs(plurals: Sequence[str]) -> list[str]:
    return [each for each in plurals if each not in _GIVEN]


def _rule(groups: str | Sequence[str], resources: str | Sequence[str], verbs: str | Sequence[str]) -> JSON:
    return {"apiGroups": _several(groups), "resources": _several(resources), "verbs": _several(verbs)}


def _paths(*paths: str) -> JSON:
    return {"nonResourceURLs": list(paths), "verbs": ["get"]}


def _several(names: str | Sequence[str]) -> list[JSON]:
    return [names] if isinstance(names, str) else list(names)


def _binding(name: str, role: str, groups: Sequence[str]) -> Object:
    subjects: list[JSON] = [{"kind": "Group", "apiGroup": _RBAC, "name": group} for group in groups]
    reference: Object = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role}
    whole = _named(f"{_RBAC}/v1", "ClusterRoleBinding", name, labels={"kubernetes.io/bootstrapping": "rbac-defaults"})
    return {**whole, "subjects": subjects, "roleRef": reference}
