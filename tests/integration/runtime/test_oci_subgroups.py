"""exec --cgroup."""

from __future__ import annotations

import os

import pytest

from jubako.linux import cgroup

from .oci import Oci, group_name

pytestmark = pytest.mark.root


def directories(oci: Oci) -> list[str]:
    return sorted({path for path, _ in cgroup.manager().open(group_name("one")).mounts()})


def test_a_process_goes_into_the_group_beneath_the_containers(running: Oci) -> None:
    for directory in directories(running):
        os.mkdir(f"{directory}/inner")
    shown = running("exec", "--cgroup", "inner", "one", "cat", "/proc/self/cgroup").stdout
    assert shown.count("/inner\n") >= len(directories(running))
    assert "/inner\n" not in running("exec", "--cgroup", "/", "one", "cat", "/proc/self/cgroup").stdout


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("..", ".. is not a sub cgroup path"),
        ("a/../..", "is not a sub cgroup path"),
        ("nowhere", "/nowhere/cgroup.procs: no such file"),
        (":x", "invalid --cgroup argument"),
    ],
)
def test_a_group_that_is_not_the_containers_is_refused(running: Oci, path: str, words: str) -> None:
    done = running("exec", "--cgroup", path, "one", "true")
    assert (done.returncode != 0, words in done.stderr) == (True, True), done.stderr


def test_controllers_are_named_and_each_once(running: Oci) -> None:
    assert "specified twice" in running("exec", "--cgroup", "cpu:/", "--cgroup", "cpu:/", "one", "true").stderr
    assert running("exec", "--cgroup", "nothing:/", "one", "true").returncode != 0
