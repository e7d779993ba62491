"""Amounts of resources: their names, and limits against requests."""

from __future__ import annotations

from jubako.cluster.types.document import Object, strings
from jubako.cluster.types.quantity import Quantity
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import NOT_NEGATIVE
from jubako.cluster.types.validation.names import qualified_name

_STANDARD = frozenset(("cpu", "memory", "ephemeral-storage"))
_HUGE_PAGES = "hugepages-"


def check(errors: Errors, path: str, resources: Object) -> None:
    """Check the limits and requests of a container."""
    limits, requests = _amounts(resources, "limits"), _amounts(resources, "requests")
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            check_name(errors, f"{path}.{kind}[{name}]", name)
            check_amount(errors, f"{path}.{kind}[{name}]", amount)
    for name, amount in requests.items():
        _within(errors, path, name, amount, limits.get(name))


def _amounts(resources: Object, kind: str) -> dict[str, Quantity]:
    return {name: Quantity.parse(amount) for name, amount in strings(resources.get(kind)).items()}


def check_name(errors: Errors, path: str, name: str) -> None:
    errors.invalid_each(path, name, qualified_name(name))
    if "/" in name or name in _STANDARD or name.startswith(_HUGE_PAGES):
        return
    errors.invalid(path, name, "must be a standard resource type or fully qualified")
    errors.invalid(path, name, "must be a standard resource for containers")


def check_amount(errors: Errors, path: str, amount: Quantity) -> None:
    if amount.nanos < 0:
        errors.invalid(path, str(amount), NOT_NEGATIVE)


def _within(errors: Errors, path: str, name: str, request: Quantity, limit: Quantity | None) -> None:
    may_exceed = name in _STANDARD
    if limit is None:
        if not may_exceed:
            errors.required(f"{path}.limits", "Limit must be set for non overcommitable resources")
    elif not may_exceed and request != limit:
        errors.invalid(f"{path}.requests", str(request), f"must be equal to {name} limit of {limit}")
    elif request > limit:
        errors.invalid(f"{path}.requests", str(request), f"must be less than or equal to {name} limit of {limit}")
