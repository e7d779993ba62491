"""Checks of LimitRanges: names of amounts, and that least, most and defaults do not contradict each other."""

from __future__ import annotations

from jubako.cluster.types.document import Object, at, objects, strings, text
from jubako.cluster.types.quantity import NANO, Quantity
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.names import qualified_name
from jubako.cluster.types.validation.pods.resources import check_name
from jubako.cluster.types.validation.quotas import check_general_name

_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_AMOUNTS = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
# What may not be greater than what, at which field that is told, with whose value, and in which words.
_ORDER = (
    ("min", "max", "min", "min", ("min", "max")),
    ("min", "defaultRequest", "defaultRequest", "defaultRequest", ("min", "default request")),
    ("defaultRequest", "max", "defaultRequest", "defaultRequest", ("default request", "max")),
    ("defaultRequest", "default", "defaultRequest", "defaultRequest", ("default request", "default limit")),
    ("min", "default", "default", "min", ("min", "default")),
    ("default", "max", "default", "max", ("default", "max")),
)


def limit_range(errors: Errors, document: Object) -> None:
    seen: set[str] = set()
    for n, item in enumerate(objects(at(document, "spec", "limits"))):
        path, kind = f"spec.limits[{n}]", text(item.get("type"))
        errors.invalid_each(f"{path}.type", kind, qualified_name(kind))
        if "/" not in kind and kind not in _TYPES:
            errors.invalid(f"{path}.type", kind, "must be a standard limit type or fully qualified")
        if kind in seen:
            errors.duplicate(f"{path}.type", kind)
        seen.add(kind)
        _item(errors, path, kind, item)


def _item(errors: Errors, path: str, kind: str, item: Object) -> None:
    amounts = {field: _parsed(item, field) for field in _AMOUNTS}
    for field in _AMOUNTS:
        if kind == "Pod" and field.startswith("default"):
            if amounts[field]:
                errors.forbidden(f"{path}.{field}", "may not be specified when `type` is 'Pod'")
            continue
        check = check_name if kind in ("Pod", "Container") else check_general_name
        for name in amounts[field]:
            check(errors, f"{path}.{field}[{name}]", name)
    if kind == "PersistentVolumeClaim" and not any("storage" in amounts[field] for field in ("min", "max")):
        detail = "either minimum or maximum storage value is required, but neither was provided"
        errors.required(f"{path}.limits", detail)
    for name in sorted({name for each in amounts.values() for name in each}):
        _contradictions(errors, path, name, {field: each[name] for field, each in amounts.items() if name in each})


def _parsed(item: Object, field: str) -> dict[str, Quantity]:
    return {name: Quantity.parse(amount) for name, amount in sorted(strings(item.get(field)).items())}


def _contradictions(errors: Errors, path: str, name: str, of: dict[str, Quantity]) -> None:
    for less, more, where, shown, words in _ORDER:
        if less in of and more in of and of[less] > of[more]:
            detail = f"{words[0]} value {of[less]} is greater than {words[1]} value {of[more]}"
            errors.invalid(f"{path}.{where}[{name}]", str(of[shown]), detail)
    ratio = of.get("maxLimitRequestRatio")
    if ratio is not None:
        _ratio(errors, f"{path}.maxLimitRequestRatio[{name}]", ratio, of.get("min"), of.get("max"))


def _ratio(errors: Errors, path: str, ratio: Quantity, least: Quantity | None, most: Quantity | None) -> None:
    if ratio.nanos < NANO:
        errors.invalid(path, str(ratio), f"ratio {ratio} is less than 1")
    if least and most is not None and ratio.nanos * least.nanos > most.nanos * NANO:
        errors.invalid(path, str(ratio), f"ratio {ratio} is greater than max/min = {most.nanos / least.nanos:f}")
