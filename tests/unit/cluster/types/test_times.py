"""Moments are read as Go reads them and written in UTC."""

from __future__ import annotations

import pytest

from jubako.cluster.types import times
from jubako.errors import InvalidArgument


@pytest.mark.parametrize(
    ("given", "seconds", "micros"),
    [
        ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000Z"),
        ("2024-01-01T00:30:00.1234567+01:00", "2023-12-31T23:30:00Z", "2023-12-31T23:30:00.123456Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_moments_are_written_in_utc(given: str, seconds: str, micros: str) -> None:
    moment = times.parse(given)
    assert (times.render(moment), times.render_micro(moment)) == (seconds, micros)
    assert times.from_unix(*times.to_unix(moment)) == moment


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("2024-01-01", 'cannot parse "" as "T"'),
        ("2024-01-01 00:00:00Z", 'cannot parse " 00:00:00Z" as "T"'),
        ("2024-13-01T00:00:00Z", "month out of range"),
        ("2023-02-29T00:00:00Z", "day out of range"),
        ("2024-01-01T24:00:00Z", "hour out of range"),
        ("2024-01-01T00:00:00Zulu", 'extra text: "ulu"'),
        ("9999-12-31T23:59:59-23:59", "out of range"),
    ],
)
def test_what_is_no_moment_is_refused(given: str, complaint: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        times.parse(given)
    assert complaint in caught.value.message
