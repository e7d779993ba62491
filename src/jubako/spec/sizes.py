"""Sizes as Docker's options write them (go-units, RAMInBytes)."""

from __future__ import annotations

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def ram_bytes(text: str) -> int:
    """A size such as `512m`, `1.5GiB` or `1048576`, in powers of 1024."""
    number, unit = _number_and_unit(text)
    unit = unit.lower()
    unit = unit.removesuffix("b")
    if unit != "i":
        unit = unit.removesuffix("i")
    if number is None or number < 0 or unit not in _POWERS or (unit == "" and text[-1:] in "iI"):
        raise ValueError(f"invalid size: '{text}'")
    return int(number * 1024 ** _POWERS[unit])


def _number_and_unit(text: str) -> tuple[float | None, str]:
    cut = len(text)
    while cut and not (text[cut - 1].isdigit() or text[cut - 1] == "."):
        cut -= 1
    try:
        return float(text[:cut]), text[cut:].removeprefix(" ")
    except ValueError:
        return None, text
