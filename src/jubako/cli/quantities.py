"""Texts that options and filters take, checked and as values: numbers, sizes, durations, pairs, limits, addresses.

Each function raises ValueError with the message that Docker's command line prints for the same text.
"""

from __future__ import annotations

from jubako.spec.durations import duration_ns as duration_ns
from jubako.spec.sizes import ram_bytes as ram_bytes

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


def boolean(text: str) -> bool:
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def integer(text: str) -> int:
    """A whole number of 64 bits; 0x, 0o and 0b prefixes are understood."""
    try:
        value = _whole(text)
    except ValueError:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": value out of range')
    return value


def _whole(text: str) -> int:
    if text != text.strip():
        raise ValueError
    try:
        return int(text, 0)
    except ValueError:
        # Zeros in front, which Python takes only for base 10.
        return int(text, 10)


def swap_bytes(text: str) -> int:
    """As `ram_bytes`, and -1 for unlimited."""
    return -1 if text == "-1" else ram_bytes(text)


def nano_cpus(text: str) -> int:
    """A number of processors such as `1.5`, `3/2` or `15e-1`, in billionths."""
    whole, _, fraction = text.partition(".")
    digits = whole.removeprefix("+") + fraction
    if not digits.isdigit() or not digits.isascii():
        return _rational(text)
    if len(fraction.rstrip("0")) > 9:
        raise ValueError("value is too precise")
    return int(whole or "0") * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))


def _rational(text: str) -> int:
    from fractions import Fraction

    try:
        billionths = Fraction(text) * 1_000_000_000
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"failed to parse {text} as a rational number") from None
    if billionths.denominator != 1:
        raise ValueError("value is too precise")
    return int(billionths)


def pair(text: str) -> tuple[str, str]:
    """`key=value`; a bare key has an empty value."""
    key, _, value = text.partition("=")
    return key, value


def filter_pair(text: str) -> tuple[str, str]:
    """`key=value` of a filter; the key is case-insensitive."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ValueError("bad format of filter (expected name=value)")
    return key.strip().lower(), value.strip()


def label(text: str) -> str:
    """`key[=value]`."""
    if not text.partition("=")[0].strip():
        raise ValueError(f"invalid label '{text}': empty name")
    return text


_SYSCTLS = frozenset(
    f"kernel.{name}" for name in ("msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced")
)
_ULIMITS = frozenset(
    "as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split()
)


def sysctl(text: str) -> str:
    """`name=value` of a kernel parameter that belongs to the container's own namespaces."""
    name, equals, _ = text.partition("=")
    if not equals or not (name in _SYSCTLS or name.startswith(("net.", "fs.mqueue."))):
        raise ValueError(f"sysctl '{text}' is not allowed")
    return text


def ulimit(text: str) -> str:
    """`name=soft[:hard]`."""
    name, equals, limits = text.partition("=")
    if not equals:
        raise ValueError(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise ValueError(f"invalid ulimit type: {name}")
    parts = limits.split(":")
    if len(parts) > 2:
        raise ValueError(f"too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`")
    values = [integer(part) for part in parts]
    if values[0] > values[-1] != -1 or values[0] == -1 != values[-1]:
        raise ValueError(f"ulimit soft limit must be less than or equal to hard limit: {values[0]} > {values[-1]}")
    return text


def address(text: str) -> str:
    """An address of a name server."""
    if not _is_address(text):
        raise ValueError(f"IP address is not correctly formatted: {text}")
    return text


def host_entry(text: str) -> str:
    """`host:ip` or `host=ip`, given on as `host:ip`."""
    separator = "=" if "=" in text else ":"
    host, _, place = text.partition(separator)
    if not host or not place:
        raise ValueError(f'bad format for add-host: "{text}"')
    if place != "host-gateway" and not _is_address(place.strip("[]")):
        raise ValueError(f'invalid IP address in add-host: "{place}"')
    return f"{host}:{place.strip('[]')}"


def _is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
