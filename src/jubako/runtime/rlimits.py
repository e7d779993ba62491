"""`--ulimit NAME=SOFT[:HARD]`: limits of a process's resources; -1 is unlimited."""

from __future__ import annotations

from jubako.errors import InvalidArgument
from jubako.runtime import defaults
from jubako.spec.oci_runtime import Rlimit

_UNLIMITED = (1 << 64) - 1


def rlimit(text: str) -> Rlimit:
    """Raises InvalidArgument."""
    name, equals, value = text.partition("=")
    soft, _, hard = value.partition(":")
    if not equals or name not in defaults.RLIMITS:
        raise InvalidArgument(f"invalid ulimit argument: {text}")
    try:
        numbers = [int(soft), int(hard or soft)]
    except ValueError:
        raise InvalidArgument(f"invalid ulimit argument: {text}") from None
    low, high = (_UNLIMITED if number == -1 else number for number in numbers)
    if low > high:
        raise InvalidArgument(f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard or soft}")
    return Rlimit(type=f"RLIMIT_{name.upper()}", soft=low, hard=high)
