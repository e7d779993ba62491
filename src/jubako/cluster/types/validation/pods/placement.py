"""Where a pod may go: tolerations, affinity, spreading."""

from __future__ import annotations

from jubako.cluster.types.document import Object, array, integer, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.metadata import check_selector
from jubako.cluster.types.validation.names import label_value, qualified_name

_REQUIRED, _PREFERRED = (
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
)


def check(errors: Errors, path: str, spec: Object) -> None:
    for n, toleration in enumerate(objects(spec.get("tolerations"))):
        _toleration(errors, f"{path}.tolerations[{n}]", toleration)
    affinity = mapping(spec.get("affinity"))
    if affinity.get("nodeAffinity") is not None:
        _node(errors, f"{path}.affinity.nodeAffinity", mapping(affinity["nodeAffinity"]))
    for name in ("podAffinity", "podAntiAffinity"):
        _pods(errors, f"{path}.affinity.{name}", mapping(affinity.get(name)))
    _spread(errors, f"{path}.topologySpreadConstraints", objects(spec.get("topologySpreadConstraints")))


def _toleration(errors: Errors, path: str, toleration: Object) -> None:
    key, operator, value = (text(toleration.get(name)) for name in ("key", "operator", "value"))
    if key:
        errors.invalid_each(f"{path}.key", key, qualified_name(key))
    elif operator != "Exists":
        detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
        errors.invalid(f"{path}.operator", operator, detail)
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        errors.invalid(f"{path}.effect", toleration.get("effect"), detail)
    if operator == "Exists" and value:
        errors.invalid(f"{path}.operator", dict(toleration), "value must be empty when `operator` is 'Exists'")
    elif operator in ("", "Equal"):
        errors.invalid_each(f"{path}.operator", value, label_value(value))


def _node(errors: Errors, path: str, affinity: Object) -> None:
    if affinity.get(_REQUIRED) is not None:
        terms = objects(mapping(affinity[_REQUIRED]).get("nodeSelectorTerms"))
        where = f"{path}.{_REQUIRED}.nodeSelectorTerms"
        if not terms:
            errors.required(where, "must have at least one node selector term")
        for n, term in enumerate(terms):
            check_node_term(errors, f"{where}[{n}]", term)
    for n, preferred in enumerate(objects(affinity.get(_PREFERRED))):
        _weight(errors, f"{path}.{_PREFERRED}[{n}]", preferred)
        check_node_term(errors, f"{path}.{_PREFERRED}[{n}].preference", mapping(preferred.get("preference")))


def check_node_term(errors: Errors, path: str, term: Object) -> None:
    """Check a NodeSelectorTerm."""
    for n, requirement in enumerate(objects(term.get("matchExpressions"))):
        where, key = f"{path}.matchExpressions[{n}]", text(requirement.get("key"))
        _count(errors, where, text(requirement.get("operator")), len(array(requirement.get("values"))))
        errors.invalid_each(f"{where}.key", key, qualified_name(key))
    for n, requirement in enumerate(objects(term.get("matchFields"))):
        where, values = f"{path}.matchFields[{n}]", array(requirement.get("values"))
        if requirement.get("operator") not in ("In", "NotIn"):
            errors.invalid(f"{where}.operator", requirement.get("operator"), "not a valid selector operator")
        elif len(values) != 1:
            errors.required(
                f"{where}.values", "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            )
        if requirement.get("key") != "metadata.name":
            errors.invalid(f"{where}.key", requirement.get("key"), "not a valid field selector key")


def _count(errors: Errors, path: str, operator: str, count: int) -> None:
    if operator in ("In", "NotIn") and not count:
        errors.required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in ("Exists", "DoesNotExist") and count:
        errors.forbidden(f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator in ("Gt", "Lt") and count != 1:
        errors.required(f"{path}.values", "must be specified single value when `operator` is 'Lt' or 'Gt'")
    elif not operator:
        errors.invalid(f"{path}.operator", operator, "not a valid selector operator")


def _weight(errors: Errors, path: str, of: Object) -> None:
    if not 1 <= integer(of.get("weight")) <= 100:
        errors.invalid(f"{path}.weight", of.get("weight"), "must be in the range 1-100")


def _pods(errors: Errors, path: str, affinity: Object) -> None:
    for n, term in enumerate(objects(affinity.get(_REQUIRED))):
        _pod_term(errors, f"{path}.{_REQUIRED}[{n}]", term)
    for n, preferred in enumerate(objects(affinity.get(_PREFERRED))):
        _weight(errors, f"{path}.{_PREFERRED}[{n}]", preferred)
        _pod_term(errors, f"{path}.{_PREFERRED}[{n}].podAffinityTerm", mapping(preferred.get("podAffinityTerm")))


def _pod_term(errors: Errors, path: str, term: Object) -> None:
    for name in ("labelSelector", "namespaceSelector"):
        check_selector(errors, f"{path}.{name}", term.get(name))
    _topology_key(errors, path, term)


def _topology_key(errors: Errors, path: str, of: Object) -> None:
    if key := text(of.get("topologyKey")):
        errors.invalid_each(f"{path}.topologyKey", key, qualified_name(key))
    else:
        errors.required(f"{path}.topologyKey", "can not be empty")


def _spread(errors: Errors, path: str, constraints: list[Object]) -> None:
    seen: set[tuple[str, str]] = set()
    for n, constraint in enumerate(constraints):
        where, key = f"{path}[{n}]", (text(constraint.get("topologyKey")), text(constraint.get("whenUnsatisfiable")))
        if integer(constraint.get("maxSkew")) <= 0:
            errors.invalid(f"{where}.maxSkew", constraint.get("maxSkew"), "must be greater than zero")
        _topology_key(errors, where, constraint)
        if not key[1]:
            errors.unsupported(f"{where}.whenUnsatisfiable", "", ("DoNotSchedule", "ScheduleAnyway"))
        if key in seen:
            errors.duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", f"{{{key[0]}, {key[1]}}}")
        seen.add(key)
        check_selector(errors, f"{where}.labelSelector", constraint.get("labelSelector"))
