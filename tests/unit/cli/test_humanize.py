from __future__ import annotations

import pytest

from jubako.cli import humanize


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (999, "999B"), (1000, "1kB"), (1982451, "1.982MB"), (123456789, "123.5MB"), (999999, "1000kB")],
)
def test_sizes_have_four_digits(count, text):
    assert humanize.size(count) == text


def test_sizes_in_tables_have_three_digits():
    assert humanize.size(1982451, 3) == "1.98MB"
    assert humanize.size(999999, 3) == "1e+03kB"


@pytest.mark.parametrize(("count", "text"), [(557056, "544KiB"), (25275965440, "23.54GiB"), (0, "0B")])
def test_memory_is_in_powers_of_1024(count, text):
    assert humanize.binary_size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5399, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (13 * 86400, "13 days"),
        (14 * 86400, "2 weeks"),
        (61 * 86400, "2 months"),
        (800 * 86400, "2 years"),
    ],
)
def test_durations_are_in_one_rough_unit(seconds, text):
    assert humanize.duration(seconds) == text
