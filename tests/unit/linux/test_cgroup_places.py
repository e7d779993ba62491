"""Where a group lies, in directories that stand for the hierarchies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jubako.linux.cgroup.seam import Hierarchies
from jubako.linux.cgroup.v1 import V1Manager

KINDS = ("memory", "pids", "devices", "cpu", "cpuacct", "blkio")


@pytest.fixture
def manager(tmp_path: Path) -> V1Manager:
    for kind in KINDS:
        (tmp_path / kind).mkdir()
    return V1Manager(Hierarchies(v1={kind: str(tmp_path / kind) for kind in KINDS}, unified=""))


def groups(base: Path) -> set[str]:
    """The groups of every hierarchy, which are the same."""
    found = [{os.path.relpath(path, base / kind) for path, _, _ in os.walk(base / kind)} - {"."} for kind in KINDS]
    assert all(each == found[0] for each in found)
    return found[0]


def test_a_name_lies_beneath_our_own_group_and_leaves_nothing_there(manager: V1Manager, tmp_path: Path) -> None:
    manager.create("pod/one").close()
    assert groups(tmp_path) == {"jubako", "jubako/pod", "jubako/pod/one"}
    manager.open("pod/one").remove()
    assert groups(tmp_path) == {"jubako"}


def test_an_absolute_path_is_one_of_the_hierarchys_and_what_lies_above_it_stays(
    manager: V1Manager, tmp_path: Path
) -> None:
    manager.create("/pod/one").close()
    assert groups(tmp_path) == {"pod", "pod/one"}
    manager.open("/pod/one").remove()
    assert groups(tmp_path) == {"pod"}


@pytest.mark.parametrize("path", ["/", "/a/../b", "..", "a//b", "/./a"])
def test_no_path_leads_elsewhere(manager: V1Manager, tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="not a cgroup name"):
        manager.create(path)
    assert groups(tmp_path) == set()
