"""What is wrong with which field, as Kubernetes words it, and the Status that tells a client.

Spec: k8s.io/apimachinery/pkg/util/validation/field; api/errors.NewInvalid.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Literal

import msgspec

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.served import Kind

Reason = Literal[
    "FieldValueNotFound", "FieldValueRequired", "FieldValueDuplicate", "FieldValueInvalid", "FieldValueNotSupported",
    "FieldValueForbidden", "FieldValueTooLong", "FieldValueTooMany",
]  # fmt: skip
_UNPROCESSABLE = 422


class FieldError(msgspec.Struct, frozen=True):
    """One field and what is wrong with it; `body` is the message without the field."""

    reason: Reason
    field: str
    body: str

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"


class Errors:
    """What a check has found so far, in order."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def _add(self, reason: Reason, field: str, body: str, detail: str = "") -> None:
        self.found.append(FieldError(reason, field, f"{body}: {detail}" if detail else body))

    def required(self, field: str, detail: str = "") -> None:
        self._add("FieldValueRequired", field, "Required value", detail)

    def invalid(self, field: str, value: JSON, detail: str) -> None:
        self._add("FieldValueInvalid", field, f"Invalid value: {shown(value)}", detail)

    def invalid_each(self, field: str, value: JSON, details: Iterable[str]) -> None:
        for detail in details:
            self.invalid(field, value, detail)

    def unsupported(self, field: str, value: JSON, supported: Iterable[str]) -> None:
        listed = ", ".join(shown(each) for each in supported)
        self._add("FieldValueNotSupported", field, f"Unsupported value: {shown(value)}", f"supported values: {listed}")

    def forbidden(self, field: str, detail: str) -> None:
        self._add("FieldValueForbidden", field, "Forbidden", detail)

    def duplicate(self, field: str, value: JSON) -> None:
        self._add("FieldValueDuplicate", field, f"Duplicate value: {shown(value)}")

    def not_found(self, field: str, value: JSON) -> None:
        self._add("FieldValueNotFound", field, f"Not found: {shown(value)}")

    def too_long(self, field: str, most_bytes: int) -> None:
        self._add("FieldValueTooLong", field, "Too long", f"may not be more than {most_bytes} bytes")

    def too_many(self, field: str, count: int, most: int) -> None:
        self._add("FieldValueTooMany", field, f"Too many: {count}", f"must have at most {most} items")

    def unchanged(self, field: str, value: JSON, old: JSON, detail: str = "field is immutable") -> None:
        """Note a field that may not change and did."""
        if value != old:
            self.invalid(field, value, detail)


def shown(value: JSON) -> str:
    """Return a value as messages show it: text in quotes, the rest as JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def invalid_status(kind: Kind, name: str, errors: Iterable[FieldError]) -> Object:
    """Return the Status of a refused document; the same complaint is told once."""
    unique = list(dict.fromkeys(errors))
    told = [str(error) for error in unique]
    causes: list[JSON] = [{"reason": error.reason, "message": error.body, "field": error.field} for error in unique]
    qualified = f"{kind.name}.{kind.group}" if kind.group else kind.name
    reason = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": f"{qualified} {json.dumps(name)} is invalid: {reason}",
        "reason": "Invalid",
        "details": {"name": name, "group": kind.group, "kind": kind.name, "causes": causes},
        "code": _UNPROCESSABLE,
    }
