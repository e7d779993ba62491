"""Checks that many kinds share: numbers that may not be negative, percentages, references by name, paths."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from jubako.cluster.types.document import JSON, Object, integer
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.names import percent, port_name, port_number

NOT_NEGATIVE = "must be greater than or equal to 0"


def not_negative(errors: Errors, path: str, value: JSON) -> None:
    if integer(value) < 0:
        errors.invalid(path, value, NOT_NEGATIVE)


def not_negative_each(errors: Errors, path: str, of: Object, names: Iterable[str]) -> None:
    for name in names:
        not_negative(errors, f"{path}.{name}" if path else name, of.get(name))


def between(errors: Errors, path: str, value: JSON, low: int, high: int) -> None:
    """Check a number that may be absent."""
    if value is not None and not low <= integer(value) <= high:
        errors.invalid(path, value, f"must be between {low} and {high}, inclusive")


def required(errors: Errors, path: str, of: Object, *names: str) -> None:
    for name in names:
        if not of.get(name):
            errors.required(f"{path}.{name}" if path else name)


def int_or_percent(errors: Errors, path: str, value: JSON, most_percent: int | None = None) -> None:
    """Check a number, or a text that is a percentage."""
    if isinstance(value, int):
        return not_negative(errors, path, value)
    if not isinstance(value, str):
        return None
    problems = percent(value)
    errors.invalid_each(path, value, problems)
    if not problems and most_percent is not None and int(value[:-1]) > most_percent:
        errors.invalid(path, value, f"must not be greater than {most_percent}%")
    return None


def port_or_name(errors: Errors, path: str, value: JSON) -> None:
    problems = port_name(value) if isinstance(value, str) else port_number(integer(value))
    errors.invalid_each(path, value, problems)


def one_of(errors: Errors, path: str, of: Object, names: Iterable[str], what: str) -> list[str]:
    """Check that exactly one of some fields is set; return those that are."""
    given = [name for name in names if of.get(name) is not None]
    for name in given[1:]:
        errors.forbidden(f"{path}.{name}", f"may not specify more than 1 {what} type")
    if not given:
        errors.required(path, f"must specify a {what} type")
    return given


def local_path(errors: Errors, path: str, value: str) -> None:
    """Check a path that stays below where it begins."""
    if value.startswith("/"):
        errors.invalid(path, value, "must be a relative path")
    no_backsteps(errors, path, value)


def no_backsteps(errors: Errors, path: str, value: str) -> None:
    if ".." in value.split("/"):
        errors.invalid(path, value, "must not contain '..'")


def unique(errors: Errors, rows: Iterable[tuple[str, str]]) -> None:
    """Check that no value stands twice among (path, value)."""
    seen: set[str] = set()
    for path, value in rows:
        if value and value in seen:
            errors.duplicate(path, value)
        seen.add(value)


def reachable(errors: Errors, path: str, value: str) -> None:
    """Check an IP address that others are to reach: none of those that mean this machine, or nobody."""
    address = ipaddress.ip_address(value)
    if address.is_unspecified:
        errors.invalid(path, value, f"may not be unspecified ({value})")
    if address.is_loopback:
        errors.invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        errors.invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if address.is_multicast:
        errors.invalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
