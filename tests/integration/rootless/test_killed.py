"""kill -9 of an ordinary user's build, and the keeper of an ordinary user."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from tests.waiting import until

from ... import ordinary
from .conftest import HEAD, User, processes

pytestmark = pytest.mark.root

SLEEPS = f"{HEAD}RUN --mount=type=cache,target=/c,uid=9 exec sleep 4321\n"


def running() -> list[int]:
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            if (directory / "cmdline").read_bytes() == b"sleep\0004321\0":
                found.append(int(directory.name))
        except OSError:
            continue
    return found


def test_a_killed_build_leaves_nothing_after_the_next(user: User, outside: str) -> None:
    user.dockerfile(SLEEPS)
    argv = user.argv("build", str(user.context))
    with subprocess.Popen(argv, env=user.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as build:
        until(running, "no command runs")
        assert len(processes(user, "pasta")) == 1
        build.kill()
    until(lambda: not running(), "the command lives on")
    left = user.runtime / "jubako/build"
    assert len(list(left.iterdir())) == 1
    user.dockerfile(f"{HEAD}RUN echo well\n")
    user.build()
    assert list(left.iterdir()) == []
    until(lambda: not processes(user, "pasta"), "pasta is left")
    user("system", "prune", "-af")
    state = user.home / ".local/share/jubako"
    assert [*(state / "snapshots").iterdir(), *(state / "ingest").iterdir(), *(state / "cache/mounts").iterdir()] == []


def test_an_interrupted_build_leaves_nothing(user: User, outside: str) -> None:
    user.dockerfile(SLEEPS)
    argv = user.argv("build", str(user.context))
    with subprocess.Popen(argv, env=user.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as build:
        until(running, "no command runs")
        build.send_signal(signal.SIGINT)
        assert build.wait(20) == 130
    assert not running()
    assert list((user.runtime / "jubako/build").iterdir()) == []
    until(lambda: not processes(user, "pasta"), "pasta is left")


def test_the_keeper_stays_outside_and_its_calls_go_in(user: User) -> None:
    user.dockerfile(f"{HEAD}RUN exec cat /proc/self/uid_map\n")
    locks = f"{user.runtime}/jubako/keeper-*.lock"
    script = f"""set -e; J="jubako"
    $J images >/dev/null
    for i in $(seq 100); do test -S {user.runtime}/jubako/keeper-*.sock && break; sleep 0.1; done; sleep 0.5
    K=$(cat {locks}); trap "kill $K" EXIT
    test "$(readlink /proc/$K/ns/user)" = "$(readlink /proc/self/ns/user)"
    $J build --network none -t made {user.context}
    $J inspect -f '{{{{.Id}}}}' made
    test "$K" = "$(cat {locks})"; test "$(readlink /proc/$K/ns/user)" = "$(readlink /proc/self/ns/user)"
    """
    done = user.shell(script, env={"JUBAKO_KEEPER": "1"})
    assert done.returncode == 0, done.stdout
    words = [line.split()[-3:] for line in done.stdout.splitlines()]
    assert ["0", str(ordinary.UID), "1"] in words
    assert ["1", "700000", "65536"] in words
