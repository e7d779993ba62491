"""Times as Docker's API has them."""

from __future__ import annotations

import pytest

from jubako.spec import clock


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (1_000_000_000, "1970-01-01T00:00:01Z"),
        (1_500_000_000, "1970-01-01T00:00:01.5Z"),
        (1_000_000_007, "1970-01-01T00:00:01.000000007Z"),
    ],
)
def test_a_time_has_no_zeros_at_its_end_and_is_read_back(time_ns: int, text: str) -> None:
    assert clock.stamp(time_ns) == text
    assert clock.parse(text) == time_ns
