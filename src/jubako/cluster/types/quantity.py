"""Quantities: 100m, 1.5Gi, 2e3. Parsed exactly, compared, added, and written in Kubernetes' canonical form.

Model:     a whole number of billionths, and the family of suffixes that it was written with (binary, decimal,
           exponent).
Invariant: what is finer than a billionth rounds away from zero, and what is beyond an int64 is cut to it, as
Kubernetes does.
Spec:      k8s.io/apimachinery/pkg/api/resource, "Quantity".
"""

from __future__ import annotations

import re
from functools import lru_cache, total_ordering
from typing import Literal

from jubako.errors import InvalidArgument

PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
NANO = 10**9
_LARGEST = (2**63 - 1) * NANO
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_BINARY_SUFFIX = ["", *_BINARY]
Family = Literal["decimal", "binary", "exponent"]


@total_ordering
class Quantity:
    """An amount in `nanos`; two that are equal may be written differently (1024 and 1Ki)."""

    __slots__ = ("family", "nanos")

    def __init__(self, nanos: int, family: Family = "decimal") -> None:
        self.nanos = max(-_LARGEST, min(_LARGEST, nanos))
        self.family: Family = family

    @staticmethod
    @lru_cache(maxsize=1024)
    def parse(text: str) -> Quantity:
        """Raises InvalidArgument with Kubernetes' message."""
        if not (found := re.fullmatch(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([A-Za-z]*[-+]?[0-9]*)", text)):
            if re.fullmatch(PATTERN.strip("^$"), text):
                raise InvalidArgument("unable to parse numeric part of quantity")
            raise InvalidArgument(f"quantities must match the regular expression '{PATTERN}'")
        sign, whole, fraction, suffix = found.group(1), found.group(2), found.group(3) or "", found.group(4)
        if not whole and not fraction:
            raise InvalidArgument(f"quantities must match the regular expression '{PATTERN}'")
        if len(text) > 256:
            raise InvalidArgument("unable to parse numeric part of quantity")
        base, exponent, family = _suffix(suffix)
        nanos = _scaled(int(whole + fraction or "0"), base, exponent, 9 - len(fraction))
        return Quantity(-nanos if sign == "-" else nanos, family)

    @classmethod
    def of(cls, value: int) -> Quantity:
        return cls(value * NANO)

    @property
    def value(self) -> int:
        """Return whole units, rounded up."""
        return -(-self.nanos // NANO)

    @property
    def milli_value(self) -> int:
        """Return thousandths, rounded up."""
        return -(-self.nanos * 1000 // NANO)

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos + other.nanos, self.family if self.nanos else other.family)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.nanos - other.nanos, self.family if self.nanos else other.family)

    def __neg__(self) -> Quantity:
        return Quantity(-self.nanos, self.family)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nanos == other.nanos

    def __lt__(self, other: Quantity) -> bool:
        return self.nanos < other.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def __str__(self) -> str:
        """Return the canonical form: no fraction, the largest suffix that needs none."""
        if not self.nanos:
            return "0"
        if self.family == "binary" and abs(self.nanos) >= 1024 * NANO:
            return self._binary()
        mantissa, exponent = self.nanos, -9
        while mantissa % 1000 == 0 and exponent < 18:
            mantissa, exponent = mantissa // 1000, exponent + 3
        if self.family == "exponent":
            return f"{mantissa}e{exponent}" if exponent else str(mantissa)
        return f"{mantissa}{_DECIMAL_SUFFIX[exponent]}"

    def _binary(self) -> str:
        mantissa, power = -(-abs(self.nanos) // NANO), 0
        while mantissa % 1024 == 0 and power < 6:
            mantissa, power = mantissa // 1024, power + 1
        return f"{'-' if self.nanos < 0 else ''}{mantissa}{_BINARY_SUFFIX[power]}"


def canonical(text: str) -> str:
    return str(Quantity.parse(text))


def _suffix(suffix: str) -> tuple[int, int, Family]:
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], "decimal"
    if suffix in _BINARY:
        return 2, 10 * _BINARY[suffix], "binary"
    if found := re.fullmatch(r"[eE]([+-]?[0-9]{1,9})", suffix):
        # Nothing that fits is that large or that small; the bound keeps the powers of ten small.
        return 10, max(-400, min(400, int(found.group(1)))), "exponent"
    raise InvalidArgument("unable to parse quantity's suffix")


def _scaled(digits: int, base: int, exponent: int, places: int) -> int:
    """Return digits * base^exponent * 10^places, rounded up."""
    above, below = digits, 1
    for number, power in ((base, exponent), (10, places)):
        if power >= 0:
            above *= number**power
        else:
            below *= number**-power
    return -(-above // below)
