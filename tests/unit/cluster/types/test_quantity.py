"""Quantities are what Kubernetes takes them for, and are written as it writes them."""

from __future__ import annotations

import pytest

from jubako.cluster.types.quantity import Quantity, canonical
from jubako.errors import InvalidArgument


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.5", "500m"),
        (".5", "500m"),
        ("5.", "5"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("1000", "1k"),
        ("1024", "1024"),
        ("1024Ki", "1Mi"),
        ("1.5Gi", "1536Mi"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("1E3", "1e3"),
        ("12e5", "1200e3"),
        ("1E", "1E"),
        ("+1", "1"),
        ("-1.5Gi", "-1536Mi"),
        ("0.1n", "1n"),
        ("1.0000000001", "1000000001n"),
        ("100000E", "9223372036854775807"),
        ("1e-400", "1e-9"),
    ],
)
def test_canonical_form(given: str, expected: str) -> None:
    assert canonical(given) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    "given", ["", "x", "1x", "1.2.3", "1 ", "--1", "1KI", "1mi", "0x1", "1" * 1000, "1e99999999999"]
)
def test_what_is_no_quantity_is_refused(given: str) -> None:
    with pytest.raises(InvalidArgument):
        Quantity.parse(given)


def test_amounts_are_compared_across_families_and_added() -> None:
    assert Quantity.parse("1Ki") == Quantity.parse("1024")
    assert Quantity.parse("1G") < Quantity.parse("1Gi")
    assert str(Quantity.parse("512Mi") + Quantity.parse("512Mi")) == "1Gi"
    assert str(Quantity.parse("1") - Quantity.parse("100m")) == "900m"
    assert (Quantity.parse("1500m").value, Quantity.parse("1.5").milli_value) == (2, 1500)
