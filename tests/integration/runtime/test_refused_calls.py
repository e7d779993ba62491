"""On an older kernel, or beneath another runtime's filter: it works without what has a substitute, and says what it
can not do without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jubako.linux import cgroup

from ... import refuse
from .oci import Oci, group_name

pytestmark = pytest.mark.root

# Where statx is there but forbidden, no program of the container's works either; and posix_spawn(3) needs clone3 then.
SUBSTITUTED = {
    "ENOSYS": "clone3,statx,faccessat2,epoll_pwait2,execveat",
    "EPERM": "faccessat2,epoll_pwait2,execveat",
}
NEEDED = (
    "openat2",
    "close_range",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "mount_setattr",
    "memfd_create",
)


def call(oci: Oci, error: str, names: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    cold = ["env", "JUBAKO_KEEPER=0"]
    return oci.under([*cold, sys.executable, refuse.__file__, error, names], *arguments)


@pytest.mark.parametrize("error", SUBSTITUTED)
def test_what_has_a_substitute_is_not_missed(oci: Oci, error: str) -> None:
    oci.configure("sh", "-c", "cat /proc/self/cgroup; echo works; exit 3")
    done = call(oci, error, SUBSTITUTED[error], "run", "-b", str(oci.bundle), "one")
    assert (done.returncode, done.stderr) == (3, "")
    # In each hierarchy its own group is the root of what the container sees.
    *groups, works = done.stdout.split()
    assert works == "works"
    own = {line.rpartition(":")[2] for line in groups if "jubako" in line or line.startswith("0:")}
    assert len(own) == 1  # "/" in a cgroup namespace, which v1's configuration does not ask for


def test_without_clone3_a_container_is_in_its_groups_and_can_be_joined(oci: Oci) -> None:
    oci.configure("sleep", "100")
    assert call(oci, "ENOSYS", "clone3", "run", "-d", "-b", str(oci.bundle), "one").returncode == 0
    assert call(oci, "ENOSYS", "clone3", "exec", "-d", "one", "sleep", "100").returncode == 0
    pids = [int(pid) for pid in oci("ps", "--format", "json", "one").stdout.strip("[]\n").split(",")]
    assert len(pids) == 2
    assert sorted(cgroup.manager().open(group_name("one")).pids()) == sorted(pids)


@pytest.mark.parametrize(
    ("name", "error"), [*((name, error) for name in NEEDED for error in ("ENOSYS", "EPERM")), ("clone3", "EPERM")]
)
def test_what_has_none_is_named(oci: Oci, tmp_path: Path, name: str, error: str) -> None:
    oci.configure("true")
    done = call(oci, error, name, "run", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert f"({name}(2) refused: this needs Linux 6.1 or later" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path / "state") == []
    assert group_name("one") not in cgroup.manager().names()


@pytest.mark.parametrize("name", ["pidfd_open", "pidfd_send_signal"])
def test_a_signal_that_can_not_be_sent_safely_is_not_sent(oci: Oci, name: str) -> None:
    oci.create("one")
    done = call(oci, "ENOSYS", name, "kill", "one", "KILL")
    assert done.returncode == 1
    assert f"({name}(2) refused" in done.stderr
    assert oci.status("one") == "created"
