"""Checks of ResourceQuotas: which amounts there are, and which of them a scope can be asked about."""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cluster.types.document import JSON, Object, array, at, mapping, objects, strings, text
from jubako.cluster.types.quantity import NANO, Quantity
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.names import qualified_name
from jubako.cluster.types.validation.pods.resources import check_amount

_COUNTS = frozenset(
    (
        *("pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps"),
        *("persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
    )
)
_COMPUTE = frozenset(("cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"))
_MORE = ("ephemeral-storage", "requests.ephemeral-storage", "limits.ephemeral-storage", "requests.storage")
_STANDARD = _COUNTS | _COMPUTE | frozenset(_MORE)
_HUGE_PAGES = ("hugepages-", "requests.hugepages-")
_OPPOSITES = (("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating"))
_WITHOUT_VALUES = (
    *("Terminating", "NotTerminating", "BestEffort", "NotBestEffort"),
    "CrossNamespacePodAffinity",
)
_SCOPES = frozenset((*_WITHOUT_VALUES, "PriorityClass"))
_ONLY_EXISTS = (
    "must be 'Exist' only operator when scope is any of "
    + ", ".join(f"ResourceQuotaScope{scope}" for scope in _WITHOUT_VALUES[:-1])
    + f" or ResourceQuotaScope{_WITHOUT_VALUES[-1]}"
)


def quota(errors: Errors, document: Object) -> None:
    spec = mapping(document.get("spec"))
    hard = strings(spec.get("hard"))
    for name, amount in hard.items():
        _name(errors, f"spec.hard[{name}]", name)
        _amount(errors, f"spec.hard[{name}]", name, Quantity.parse(amount))
    _scopes(errors, spec, hard)
    if spec.get("scopeSelector") is not None:
        _selector(errors, mapping(spec["scopeSelector"]), hard)


def quota_update(errors: Errors, document: Object, old: Object) -> None:
    for field in ("scopes", "scopeSelector"):
        errors.unchanged(f"spec.{field}", at(document, "spec", field), at(old, "spec", field))


def check_general_name(errors: Errors, path: str, name: str) -> None:
    """Check the name of an amount of anything: a container's, a claim's, a quota's."""
    errors.invalid_each(path, name, qualified_name(name))
    if "/" not in name and not _is_standard(name) and name != "storage":
        errors.invalid(path, name, "must be a standard resource type or fully qualified")


def _name(errors: Errors, path: str, name: str) -> None:
    check_general_name(errors, path, name)
    if "/" not in name and not _is_standard(name):
        errors.invalid(path, name, "must be a standard resource for quota")


def _is_standard(name: str) -> bool:
    return name in _STANDARD or name.startswith(_HUGE_PAGES)


def _amount(errors: Errors, path: str, name: str, amount: Quantity) -> None:
    check_amount(errors, path, amount)
    if (name in _COUNTS or name.startswith("count/")) and amount.nanos % NANO:
        errors.invalid(path, str(amount), "must be an integer")


def _scopes(errors: Errors, spec: Object, hard: Iterable[str]) -> None:
    scopes = [text(each) for each in array(spec.get("scopes"))]
    given: JSON = [*scopes]
    for scope in scopes:
        if scope not in _SCOPES:
            errors.invalid("spec.scopes", given, "unsupported scope")
        _applied(errors, "spec.scopes", given, scope, hard)
    _conflicts(errors, "spec.scopes", given, scopes)


def _applied(errors: Errors, path: str, given: JSON, scope: str, hard: Iterable[str]) -> None:
    allowed = {"pods"} if scope == "BestEffort" else {"pods", *_COMPUTE}
    for name in hard:
        if _is_standard(name) and name not in allowed:
            errors.invalid(path, given, "unsupported scope applied to resource")


def _conflicts(errors: Errors, path: str, given: JSON, scopes: Iterable[str]) -> None:
    if any(set(pair) <= set(scopes) for pair in _OPPOSITES):
        errors.invalid(path, given, "conflicting scopes")


def _selector(errors: Errors, selector: Object, hard: Iterable[str]) -> None:
    path = "spec.scopeSelector.matchExpressions"
    asked = objects(selector.get("matchExpressions"))
    for each in asked:
        scope = text(each.get("scopeName"))
        if scope not in _SCOPES:
            errors.invalid(f"{path}.scopeName", scope, "unsupported scope")
        _applied(errors, path, selector, scope, hard)
        _operator(errors, path, scope, each)
    _conflicts(errors, path, selector, [text(each.get("scopeName")) for each in asked])


def _operator(errors: Errors, path: str, scope: str, asked: Object) -> None:
    operator, values = text(asked.get("operator")), array(asked.get("values"))
    if scope in _WITHOUT_VALUES and operator != "Exists":
        errors.invalid(f"{path}.operator", operator, _ONLY_EXISTS)
    if operator in ("In", "NotIn"):
        if not values:
            detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            errors.required(f"{path}.values", detail)
    elif operator not in ("Exists", "DoesNotExist"):
        errors.invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif values:
        detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
        errors.invalid(f"{path}.values", values, detail)
