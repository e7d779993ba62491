"""Lists of numbers such as 0-3,8, by which the kernel names processors and memory nodes. cpuset(7), "List format"."""

from __future__ import annotations

_NUMBERS_MAX = 8192  # CONFIG_NR_CPUS has no higher maximum


def mask(text: str) -> int:
    """The numbers as a mask: bit n for n. Raises ValueError that says what is wrong."""
    bits = 0
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        last = last or first
        if not (first.isascii() and first.isdecimal() and last.isascii() and last.isdecimal()):
            raise ValueError(f"{text!r} is not a list such as 0-3,8")
        if not int(first) <= int(last) < _NUMBERS_MAX:
            raise ValueError(f"{part!r} is no range")
        bits |= (1 << int(last) + 1) - (1 << int(first))
    return bits


def numbers(text: str) -> list[int]:
    """The numbers, in ascending order; none of an empty text."""
    bits = mask(text) if text else 0
    return [number for number in range(bits.bit_length()) if bits >> number & 1]
