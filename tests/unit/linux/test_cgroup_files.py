"""Control files, in a directory that stands for a group."""

from __future__ import annotations

from pathlib import Path

from jubako.linux.cgroup import files


def test_who_has_no_pid_here_is_none_of_the_processes(tmp_path: Path) -> None:
    """A signal to 0 would go to the group of processes that sends it."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "cgroup.procs").write_text("0\n12\n")
    (tmp_path / "inner/cgroup.procs").write_text("0\n")
    assert files.pids_of(str(tmp_path)) == [12]
