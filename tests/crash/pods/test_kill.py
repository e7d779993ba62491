"""kill -9 of a command on pods at any of its system calls: the next command works, and nothing is left in the end."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...remains import Remains
from ..runtime.conftest import kill_at

__all__ = ["kill_at"]

pytestmark = pytest.mark.root

SAMPLES = 10_000 if os.environ.get("JUBAKO_CRASH_EVERY") else 25


class Victim:
    """An engine of the test's own, whose commands are killed."""

    def __init__(self, cli, kill_at: Path, report: Path) -> None:
        self.cli, self.kill_at, self.report = cli, kill_at, report

    def killed(self, at: int, *arguments: str) -> int:
        """Run the command cold, kill it at the `at`-th call; returns how many there were."""
        command = [str(self.kill_at), "caller", str(at), str(self.report), *self.cli.argv, *arguments]
        subprocess.run(command, capture_output=True, check=True, timeout=60, env={**self.cli.env, "JUBAKO_KEEPER": "0"})
        return int(self.report.read_text())

    def moments(self, *arguments: str) -> list[int]:
        """Which calls of the command are tried: all, or a sample from the first to the last."""
        calls = self.killed(0, *arguments)
        return list(range(1, calls + 1, max(1, calls // SAMPLES)))


@pytest.fixture
def victim(tmp_path, state, kill_at) -> Iterator[Victim]:
    cli = type(state)(tmp_path / "root", tmp_path / "run")
    remains = Remains(cli)
    archive = tmp_path / "busybox.tar"
    state("save", "-o", str(archive), "busybox")
    cli("load", "-i", str(archive))
    yield Victim(cli, kill_at, tmp_path / "report")
    remains.assert_none_after_prune()


@pytest.mark.parametrize("share", ["net,ipc,uts", "net,pid"])
def test_killed_start_of_a_pod_leaves_one_that_can_be_started(victim, share):
    victim.cli("pod", "create", "--name", "web", "-p", "127.0.0.1:18321:80", "--share", share)
    start = ("pod", "start", "web")
    for at in victim.moments(*start):
        victim.cli("pod", "stop", "-t", "0", "web")
        victim.killed(at, *start)
        assert victim.cli("pod", "ps", "--format", "{{.Name}}") == "web\n"
        assert "inet" in victim.cli("run", "--rm", "--pod", "web", "busybox", "ip", "-4", "addr", "show", "eth0")


def test_killed_start_of_a_container_in_a_pod_leaves_the_pod_whole(victim):
    victim.cli("pod", "create", "--name", "web", "--network", "none")
    run = ("run", "--rm", "--pod", "web", "busybox", "true")
    for at in victim.moments(*run):
        victim.killed(at, *run)
        assert victim.cli("run", "--rm", "--pod", "web", "busybox", "echo", "works") == "works\n"


@pytest.mark.parametrize("verb", [("stop", "-t", "0"), ("rm", "-f")], ids=["stop", "rm"])
def test_killed_end_of_a_pod_is_ended_by_the_next(victim, verb):
    def prepare() -> None:
        victim.cli("pod", "create", "--name", "web", "-p", "127.0.0.1:18321:80")
        victim.cli("run", "-d", "--pod", "web", "--name", "member", "busybox", "sleep", "1000")

    prepare()
    moments = victim.moments("pod", *verb, "web")
    for at in moments:
        victim.cli.run("pod", "rm", "-f", "web")
        prepare()
        victim.killed(at, "pod", *verb, "web")
        victim.cli("pod", "rm", "-f", "web")
        assert victim.cli("ps", "-aq") == victim.cli("pod", "ps", "-q") == ""
