"""Checks of roles and bindings."""

from __future__ import annotations

from jubako.cluster.types.document import Object, array, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.metadata import check_selector
from jubako.cluster.types.validation.names import dns_subdomain, path_segment

GROUP = "rbac.authorization.k8s.io"
_SUBJECTS = ("Group", "ServiceAccount", "User")


def role(errors: Errors, document: Object) -> None:
    _rules(errors, document, namespaced=True)


def cluster_role(errors: Errors, document: Object) -> None:
    _rules(errors, document, namespaced=False)
    selectors = objects(mapping(document.get("aggregationRule")).get("clusterRoleSelectors"))
    if document.get("aggregationRule") is not None and not selectors:
        errors.required(
            "aggregationRule.clusterRoleSelectors",
            "at least one clusterRoleSelector required if aggregationRule is non-nil",
        )
    for n, selector in enumerate(selectors):
        check_selector(errors, f"aggregationRule.clusterRoleSelectors[{n}]", selector)


def _rules(errors: Errors, document: Object, namespaced: bool) -> None:
    for n, rule in enumerate(objects(document.get("rules"))):
        _rule(errors, f"rules[{n}]", rule, namespaced)


def _rule(errors: Errors, path: str, rule: Object, namespaced: bool) -> None:
    urls, groups, resources = (array(rule.get(name)) for name in ("nonResourceURLs", "apiGroups", "resources"))
    if not array(rule.get("verbs")):
        errors.required(f"{path}.verbs", "verbs must contain at least one value")
    if urls:
        if namespaced:
            errors.invalid(f"{path}.nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs")
        if groups or resources or array(rule.get("resourceNames")):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            errors.invalid(f"{path}.nonResourceURLs", urls, detail)
        return
    if not groups:
        errors.required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not resources:
        errors.required(f"{path}.resources", "resource rules must supply at least one resource")


def role_binding(errors: Errors, document: Object) -> None:
    _binding(errors, document, ("ClusterRole", "Role"))


def cluster_role_binding(errors: Errors, document: Object) -> None:
    _binding(errors, document, ("ClusterRole",))


def _binding(errors: Errors, document: Object, kinds: tuple[str, ...]) -> None:
    reference = mapping(document.get("roleRef"))
    name = text(reference.get("name"))
    if reference.get("apiGroup") != GROUP:
        errors.unsupported("roleRef.apiGroup", reference.get("apiGroup") or "", (GROUP,))
    if reference.get("kind") not in kinds:
        errors.unsupported("roleRef.kind", reference.get("kind") or "", kinds)
    if name:
        errors.invalid_each("roleRef.name", name, path_segment(name))
    else:
        errors.required("roleRef.name")
    for n, subject in enumerate(objects(document.get("subjects"))):
        _subject(errors, f"subjects[{n}]", subject)


def _subject(errors: Errors, path: str, subject: Object) -> None:
    kind, name = text(subject.get("kind")), text(subject.get("name"))
    if not name:
        errors.required(f"{path}.name")
    group = "" if kind == "ServiceAccount" else GROUP
    if kind not in _SUBJECTS:
        errors.unsupported(f"{path}.kind", kind, _SUBJECTS)
    elif text(subject.get("apiGroup")) != group:
        errors.unsupported(f"{path}.apiGroup", text(subject.get("apiGroup")), (group,))
    if kind == "ServiceAccount":
        if name:
            errors.invalid_each(f"{path}.name", name, dns_subdomain(name))
        if not subject.get("namespace"):
            errors.required(f"{path}.namespace")


def binding_update(errors: Errors, document: Object, old: Object) -> None:
    errors.unchanged("roleRef", document.get("roleRef"), old.get("roleRef"), "cannot change roleRef")
