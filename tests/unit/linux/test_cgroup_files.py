"""Control files, in a directory that stands for a group."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from jubako.linux.cgroup import files


def test_who_has_no_pid_here_is_none_of_the_processes(tmp_path: Path) -> None:
    """A signal to 0 would go to the group of processes that sends it."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "cgroup.procs").write_text("0\n12\n")
    (tmp_path / "inner/cgroup.procs").write_text("0\n")
    assert files.pids_of(str(tmp_path)) == [12]


def test_a_group_that_goes_while_its_file_is_open_is_missing() -> None:
    """systemd takes a scope away with its last process, at any moment."""
    with pytest.raises(FileNotFoundError, match=r"box/cgroup\.kill"), files.gone_is_missing("box/cgroup.kill"):
        raise OSError(errno.ENODEV, "gone")
    with pytest.raises(PermissionError), files.gone_is_missing("box/cgroup.kill"):
        raise PermissionError(errno.EACCES, "not yours")
