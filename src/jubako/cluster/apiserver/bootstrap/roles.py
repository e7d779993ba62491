"""The default roles, and whom they are given to.

Spec: "Using RBAC Authorization", Default roles and role bindings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jubako.cluster.apiserver.access.authorization import GROUP
from jubako.cluster.apiserver.bootstrap.defaults import named
from jubako.cluster.apiserver.bootstrap.reconciling import AUTOUPDATE
from jubako.cluster.apiserver.caller import MASTERS
from jubako.cluster.controllers.aggregation import aggregated
from jubako.cluster.objects import JSON, Object, listed


def documents() -> Iterator[tuple[str, str, Object]]:
    """Yield group, plural and document of each; what a role is aggregated from comes before it."""
    parts = [_role(f"{PART}{name}", rules, (name,)) for name, rules in _PARTS.items()]
    known = [*parts, *(_role(name, rules) for name, rules in _ROLES.items())]
    for name, others in _WHOLES.items():
        whole = _role(name, [], others)
        whole["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {_label(name): "true"}}]}
        known.append({**whole, "rules": listed(aggregated(whole, known))})
    for role in known:
        yield GROUP, "clusterroles", role
    for name, role_name, groups in _BINDINGS:
        yield GROUP, "clusterrolebindings", _binding(name, role_name, groups)


def _role(name: str, rules: Sequence[JSON], wholes: Sequence[str] = ()) -> Object:
    """Return a role, which is a part of these."""
    return {**_named("ClusterRole", name, {_label(whole): "true" for whole in wholes}), "rules": [*rules]}


def _label(whole: str) -> str:
    return f"rbac.authorization.k8s.io/aggregate-to-{whole}"


def _named(kind: str, name: str, labels: Mapping[str, JSON] | None = None) -> Object:
    all_labels: Object = {"kubernetes.io/bootstrapping": "rbac-defaults", **(labels or {})}
    return named(f"{GROUP}/v1", kind, name, labels=all_labels, annotations={AUTOUPDATE: "true"})


def _binding(name: str, role: str, groups: Sequence[str]) -> Object:
    subjects: list[JSON] = [{"kind": "Group", "apiGroup": GROUP, "name": group} for group in groups]
    reference: Object = {"apiGroup": GROUP, "kind": "ClusterRole", "name": role}
    return {**_named("ClusterRoleBinding", name), "subjects": subjects, "roleRef": reference}


def _rule(groups: str, resources: str, verbs: str) -> JSON:
    """Of words with spaces between; "core" is the group that has no name."""
    named = ["" if group == "core" else group for group in groups.split()]
    return {"apiGroups": [*named], "resources": [*resources.split()], "verbs": [*verbs.split()]}


def _paths(*paths: str, verb: str = "get") -> JSON:
    return {"nonResourceURLs": [*paths], "verbs": [verb]}


_READ, _WRITE = "get list watch", "create delete deletecollection patch update"
_HEALTH = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_ISSUER = "system:service-account-issuer-discovery"
_ROLES = {
    "cluster-admin": [_rule("*", "*", "*"), _paths("*", verb="*")],
    "system:discovery": [_paths("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", *_HEALTH)],
    "system:public-info-viewer": [_paths(*_HEALTH)],
    _ISSUER: [_paths("/.well-known/openid-configuration", "/openid/v1/jwks", "/openid/v1/jwks/")],
    "system:basic-user": [
        _rule("authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews", "create"),
        _rule("authentication.k8s.io", "selfsubjectreviews", "create"),
    ],
    "system:auth-delegator": [
        _rule("authentication.k8s.io", "tokenreviews", "create"),
        _rule("authorization.k8s.io", "subjectaccessreviews", "create"),
    ],
}
PART = "system:aggregate-to-"
# What makes up the roles for those who work in a namespace; others add parts of their own by label.
_PARTS = {
    "admin": [
        _rule("authorization.k8s.io", "localsubjectaccessreviews", "create"),
        _rule(GROUP, "roles rolebindings", f"{_READ} {_WRITE}"),
    ],
    "edit": [
        _rule("core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy", _READ),
        _rule("core", "serviceaccounts", "impersonate"),
        _rule("core", "pods pods/attach pods/exec pods/portforward pods/proxy", _WRITE),
        _rule("core", "pods/eviction serviceaccounts/token", "create"),
        _rule(
            "core",
            "configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets "
            "serviceaccounts services services/proxy",
            _WRITE,
        ),
        _rule(
            "apps",
            "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets "
            "statefulsets/scale",
            _WRITE,
        ),
        _rule("autoscaling", "horizontalpodautoscalers", _WRITE),
        _rule("batch", "cronjobs jobs", _WRITE),
        _rule("policy", "poddisruptionbudgets", _WRITE),
        _rule("networking.k8s.io", "ingresses networkpolicies", _WRITE),
        _rule("coordination.k8s.io", "leases", f"{_READ} {_WRITE}"),
    ],
    "view": [
        _rule(
            "core",
            "configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers "
            "replicationcontrollers/scale serviceaccounts services services/status",
            _READ,
        ),
        _rule(
            "core",
            "bindings events limitranges namespaces/status pods/log pods/status replicationcontrollers/status "
            "resourcequotas resourcequotas/status",
            _READ,
        ),
        _rule("core", "namespaces", _READ),
        _rule("discovery.k8s.io", "endpointslices", _READ),
        _rule(
            "apps",
            "controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status "
            "replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status",
            _READ,
        ),
        _rule("autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status", _READ),
        _rule("batch", "cronjobs cronjobs/status jobs jobs/status", _READ),
        _rule("policy", "poddisruptionbudgets poddisruptionbudgets/status", _READ),
        _rule("networking.k8s.io", "ingresses ingresses/status networkpolicies", _READ),
    ],
}
# A role that is aggregated from its parts, and of which others it is a part.
_WHOLES = {"view": ("edit",), "edit": ("admin",), "admin": ()}
_BINDINGS = (
    (_ISSUER, _ISSUER, ("system:serviceaccounts",)),
    ("cluster-admin", "cluster-admin", (MASTERS,)),
    ("system:discovery", "system:discovery", ("system:authenticated",)),
    ("system:basic-user", "system:basic-user", ("system:authenticated",)),
    ("system:public-info-viewer", "system:public-info-viewer", ("system:authenticated", "system:unauthenticated")),
)
