"""Device rules of a specification, made unambiguous before either version of cgroups gets them.

v1 takes `a` for every device and every access, whatever numbers follow it, and ignores without a word a rule that
would cut a hole into a wildcard (security/device_cgroup.c). Both would allow more than was asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from jubako.errors import InvalidArgument
from jubako.spec.oci_runtime import DeviceRule

_TYPES = {"": "bc", "a": "bc", "b": "b", "c": "c", "u": "c"}
_ALL = frozenset("rwm")


def checked(rules: Iterable[DeviceRule]) -> list[DeviceRule]:
    """The same rules, with types a, b and c, and numbers that are None for any. `a` is every device and access.

    Two rules that allow different access to one device are one that allows both: v2 judges a whole access by one rule.
    """
    found: list[DeviceRule] = []
    for single in (single for rule in rules for single in _singles(rule)):
        at = len(found)
        while at and found[at - 1].allow == single.allow and found[at - 1].type != "a" and single.allow:
            at -= 1
            if (found[at].type, found[at].major, found[at].minor) == (single.type, single.major, single.minor):
                found[at].access += "".join(letter for letter in single.access if letter not in found[at].access)
                break
        else:
            found.append(single)
    return found


def _singles(rule: DeviceRule) -> Iterator[DeviceRule]:
    access = "".join(letter for letter in rule.access or "rwm" if letter in _ALL)  # as runc: other letters say nothing
    if rule.type not in _TYPES or not access:
        raise InvalidArgument(f"devices: invalid rule: type {rule.type!r}, access {rule.access!r}")
    major, minor = _number(rule.major), _number(rule.minor)
    types = _TYPES[rule.type]
    if len(types) == 2 and major is minor is None and _ALL.issubset(access):
        types = "a"
    for kind in types:
        yield DeviceRule(allow=rule.allow, type=kind, major=major, minor=minor, access=access)


def _number(number: int | None) -> int | None:
    if number is not None and number < -1:
        raise InvalidArgument(f"devices: invalid device number: {number}")
    return None if number == -1 else number


def check_holes(rules: Iterable[DeviceRule]) -> None:
    """InvalidArgument for a rule that v1 can not keep: one that excepts some devices from an earlier wildcard."""
    exceptions: list[DeviceRule] = []
    default = True
    for rule in rules:
        if rule.type == "a":
            default, exceptions = rule.allow, []
        elif rule.allow != default:
            exceptions.append(rule)
        else:
            exceptions = [left for known in exceptions if (left := _without(known, rule))]


def _without(known: DeviceRule, rule: DeviceRule) -> DeviceRule | None:
    """What is left of an exception; None for nothing."""
    shared = set(known.access) & set(rule.access)
    if known.type != rule.type or not shared:
        return known
    pairs = [(known.major, rule.major), (known.minor, rule.minor)]
    if not all(one == other or None in (one, other) for one, other in pairs):
        return known
    if any(one is None and other is not None for one, other in pairs):
        raise InvalidArgument(
            f"devices: {line(rule)} cannot be an exception to {line(known)}: cgroup v1 has no rules within a wildcard"
        )
    if any(one != other for one, other in pairs):
        if rule.allow:
            return known  # what stays denied harms nobody
        raise InvalidArgument(f"devices: {line(rule)} does not name each of the rules that it revokes on cgroup v1")
    left = "".join(letter for letter in known.access if letter not in shared)
    return msgspec.structs.replace(known, access=left) if left else None


def line(rule: DeviceRule) -> str:
    """One line of devices.allow or devices.deny, of a checked rule."""
    if rule.type == "a":
        return "a"
    numbers = ["*" if number is None else str(number) for number in (rule.major, rule.minor)]
    return f"{rule.type} {':'.join(numbers)} {rule.access}"
