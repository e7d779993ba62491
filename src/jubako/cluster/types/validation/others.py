"""Checks of the kinds with little to check: nodes, leases, budgets, priorities, events, and what is asked and never
kept."""

from __future__ import annotations

from jubako.cluster.types.document import JSON, Object, array, at, integer, mapping, objects, strings, text
from jubako.cluster.types.quantity import Quantity
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import int_or_percent, not_negative, required
from jubako.cluster.types.validation.metadata import check_finalizer, check_labels, check_selector
from jubako.cluster.types.validation.names import dns_label, label_value, qualified_name
from jubako.cluster.types.validation.pods import resources

_HIGHEST_USER_PRIORITY, _SYSTEM_PRIORITY = 1_000_000_000, 2_000_000_000
_SYSTEM_CLASSES = {"system-node-critical": _SYSTEM_PRIORITY + 1000, "system-cluster-critical": _SYSTEM_PRIORITY}
_LEAST_TOKEN_S, _MOST_TOKEN_S = 600, 1 << 32


def namespace(errors: Errors, document: Object) -> None:
    for n, finalizer in enumerate(array(mapping(document.get("spec")).get("finalizers"))):
        check_finalizer(errors, f"spec.finalizers[{n}]", text(finalizer))


def node(errors: Errors, document: Object) -> None:
    seen: set[tuple[str, str]] = set()
    for n, taint in enumerate(objects(mapping(document.get("spec")).get("taints"))):
        path, key, effect = f"spec.taints[{n}]", text(taint.get("key")), text(taint.get("effect"))
        errors.invalid_each(f"{path}.key", key, qualified_name(key))
        errors.invalid_each(f"{path}.value", taint.get("value"), label_value(text(taint.get("value"))))
        if not effect:
            errors.required(f"{path}.effect")
        if (key, effect) in seen:
            errors.duplicate(path, dict(taint))
        seen.add((key, effect))


def node_update(errors: Errors, document: Object, old: Object) -> None:
    """What identifies a node is given once."""
    spec, was = mapping(document.get("spec")), mapping(old.get("spec"))
    if was.get("providerID"):
        _once(errors, "spec.providerID", spec.get("providerID"), was.get("providerID"))
    if was.get("podCIDR"):
        _once(errors, "spec.podCIDRs", spec.get("podCIDRs"), was.get("podCIDRs"))


def _once(errors: Errors, path: str, value: JSON, old: JSON) -> None:
    if value != old:
        errors.forbidden(path, f'node updates may not change {path.rpartition(".")[2]} except from "" to valid')


def lease(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    duration = spec.get("leaseDurationSeconds")
    if duration is not None and integer(duration) <= 0:
        errors.invalid("spec.leaseDurationSeconds", duration, "must be greater than 0")
    not_negative(errors, "spec.leaseTransitions", spec.get("leaseTransitions"))


def runtime_class(errors: Errors, document: Object) -> None:
    handler = text(document.get("handler"))
    errors.invalid_each("handler", handler, dns_label(handler))
    for name, amount in strings(at(document, "overhead", "podFixed")).items():
        resources.check_name(errors, f"overhead.podFixed[{name}]", name)
        resources.check_amount(errors, f"overhead.podFixed[{name}]", Quantity.parse(amount))
    check_labels(errors, "scheduling.nodeSelector", at(document, "scheduling", "nodeSelector"))


def runtime_class_update(errors: Errors, document: Object, old: Object) -> None:
    errors.unchanged("handler", document.get("handler"), old.get("handler"))


def budget(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        errors.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for name in ("minAvailable", "maxUnavailable"):
        int_or_percent(errors, f"spec.{name}", spec.get(name), most_percent=100)
    check_selector(errors, "spec.selector", spec.get("selector"))


def priority_class(errors: Errors, document: Object) -> None:
    name, value = text(mapping(document.get("metadata")).get("name")), integer(document.get("value"))
    if name.startswith("system-"):
        if _SYSTEM_CLASSES.get(name) != value:
            detail = "priority class names with 'system-' prefix are reserved for system use only."
            errors.forbidden("metadata.name", f"{detail} error: {name} is not a known system priority class")
    elif value > _HIGHEST_USER_PRIORITY:
        errors.forbidden("value", f"maximum allowed value of a user defined priority is {_HIGHEST_USER_PRIORITY}")


def priority_class_update(errors: Errors, document: Object, old: Object) -> None:
    if document.get("value") != old.get("value"):
        errors.forbidden("value", "may not be changed in an update.")
    errors.unchanged("preemptionPolicy", document.get("preemptionPolicy"), old.get("preemptionPolicy"))


def scale(errors: Errors, document: Object) -> None:
    not_negative(errors, "spec.replicas", mapping(document.get("spec")).get("replicas"))


def token_request(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    seconds = integer(spec.get("expirationSeconds"))
    if seconds < _LEAST_TOKEN_S:
        errors.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
    elif seconds > _MOST_TOKEN_S:
        errors.invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")


def access_review(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    resource, other = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and other is not None:
        errors.invalid(
            "spec.nonResourceAttributes", other, "cannot be specified in combination with resourceAttributes"
        )
    if resource is None and other is None:
        errors.invalid(
            "spec.resourceAttributes",
            None,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )


def subject_access_review(errors: Errors, document: Object) -> None:
    access_review(errors, document)
    spec = mapping(document.get("spec"))
    if not spec.get("user") and not array(spec.get("groups")):
        errors.invalid("spec.user", "", "at least one of user or group must be specified")


def token_review(errors: Errors, document: Object) -> None:
    required(errors, "spec", mapping(document.get("spec")), "token")
