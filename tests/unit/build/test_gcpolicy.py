"""The policies of the automatic collection: defaults, files, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from jubako.build.cacheprune import PrunePolicy
from jubako.build.gcpolicy import Configuration, Disk, load, parse_filters, policies
from jubako.errors import InvalidArgument

GB = 10**9
HOUR_NS = 3600 * 10**9
SMALL, LARGE = Disk(50 * GB, 5 * GB), Disk(4000 * GB, 5 * GB)


def read(tmp_path: Path, text: str, disk: Disk = SMALL) -> list[PrunePolicy]:
    (tmp_path / "builder.toml").write_text(text)
    return policies(load(tmp_path / "builder.toml"), disk)


def test_the_defaults_are_buildkits() -> None:
    mounts, old, unshared, everything = policies(Configuration(), SMALL)
    spaces = {"reserved_bytes": 5 * GB, "max_used_bytes": 40 * GB, "min_free_bytes": 10 * GB}
    assert mounts == PrunePolicy(
        filters={"type": "exec.cachemount"}, unused_for_ns=48 * HOUR_NS, max_used_bytes=512_000_000
    )
    assert old == PrunePolicy(unused_for_ns=60 * 24 * HOUR_NS, **spaces)
    assert unshared == PrunePolicy(**spaces)
    assert everything == PrunePolicy(all=True, **spaces)


def test_on_a_large_disk_the_defaults_are_bounded() -> None:
    last = policies(Configuration(), LARGE)[-1]
    assert (last.reserved_bytes, last.max_used_bytes) == (10 * GB, 100 * GB)


def test_spaces_are_bytes_units_or_a_part_of_the_disk(tmp_path: Path) -> None:
    last = read(tmp_path, 'reservedSpace = 7\nmaxUsedSpace = "2GB"\nminFreeSpace = "20%"\n')[-1]
    assert (last.reserved_bytes, last.max_used_bytes, last.min_free_bytes) == (7, 2 << 30, 10 * GB)


def test_the_old_name_of_the_reserved_space_is_known(tmp_path: Path) -> None:
    last = read(tmp_path, 'gckeepstorage = "1MB"\n')[-1]
    assert (last.reserved_bytes, last.max_used_bytes, last.min_free_bytes) == (1 << 20, 0, 0)


def test_policies_of_ones_own_replace_the_defaults(tmp_path: Path) -> None:
    text = """
[[gcpolicy]]
keepDuration = "48h"
filters = ["type==source.local,type==exec.cachemount"]
maxUsedSpace = "512MB"
[[gcpolicy]]
keepDuration = 60
filters = ["private"]
[[gcpolicy]]
all = true
reservedSpace = "10%"
"""
    assert read(tmp_path, text) == [
        PrunePolicy(
            filters={"type": "source.local,exec.cachemount"}, unused_for_ns=48 * HOUR_NS, max_used_bytes=512 << 20
        ),
        PrunePolicy(filters={"private": ""}, unused_for_ns=60 * 10**9),
        PrunePolicy(all=True, reserved_bytes=5 * GB),
    ]


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    assert read(tmp_path, "gc = false\n") == []


def test_a_filter_of_age_is_no_filter_of_records() -> None:
    assert parse_filters(["unused-for=2h", "id=abc", "shared"]) == ({"id": "abc", "shared": ""}, 2 * HOUR_NS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("colour = 1", "colour"),
        ("gc = 3", "bool"),
        ("[[gcpolicy]]\nkeep = 1", "keep"),
        ("reservedSpace = '110%'", "invalid disk space: '110%'"),
        ("maxUsedSpace = 'much'", "invalid size: 'much'"),
        ("minFreeSpace = -1", "invalid disk space: '-1'"),
        ("[[gcpolicy]]\nkeepDuration = 'long'", "invalid duration"),
        ("[[gcpolicy]]\nfilters = ['until=long']", "invalid duration"),
        ("gc =", "builder.toml"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        read(tmp_path, text)


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").write_text("gc = false\n")
    monkeypatch.setenv("JUBAKO_BUILDER_CONF", str(tmp_path / "mine.toml"))
    assert not load().gc


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUBAKO_BUILDER_CONF", str(tmp_path / "nothing.toml"))
    assert load() == Configuration()
