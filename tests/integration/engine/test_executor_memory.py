"""What stays beside a running container is small."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.root

LIMIT_KB = 1024


def executor_of(pid: int) -> int:
    """The executor that watches a container's first process: its parent."""
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    assert Path(f"/proc/{parent}/comm").read_text() == "jubako-monitor\n"
    return parent


def pss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


@pytest.mark.parametrize("options", [[], ["-it"], ["-i"]])
def test_an_executor_takes_less_than_a_megabyte(jubako, options):
    jubako("run", "-d", "--name", "small", *options, "busybox", "sh", "-c", "head -c 200000 /dev/zero; sleep 60")
    jubako("exec", "small", "sh", "-c", "until pidof sleep; do sleep 0.02; done")
    pid = int(jubako("inspect", "-f", "{{.State.Pid}}", "small"))
    assert pss_kb(executor_of(pid)) < LIMIT_KB
