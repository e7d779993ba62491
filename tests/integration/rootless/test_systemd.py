"""Containers of an ordinary user whose own systemd makes the groups (`./dev vm --init systemd`).

Commands run in a group that is root's, as those of a login do, where nothing else is said.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...systemd_user import in_session, needs_systemd, own_slice
from .conftest import COMMAND, until

pytestmark = [pytest.mark.root, needs_systemd]

LIMITS = "-m 64m --cpus 0.5 --pids-limit 20"
FILES = "cd /sys/fs/cgroup; cat memory.max memory.swap.max pids.max cpu.max"


def said(script: str) -> str:
    done = in_session("sh", "-ec", f"PATH={Path(COMMAND).parent}:$PATH\n{script}")
    assert done.returncode == 0, done.stdout
    return done.stdout


def scopes() -> list[str]:
    """The groups of containers, and of commands that were brought beside them."""
    return sorted(path.name for path in own_slice().glob("jubako-*.scope"))


def containers() -> list[str]:
    return [name for name in scopes() if not name.startswith("jubako-command-")]


@pytest.fixture(autouse=True)
def busybox() -> Iterator[None]:
    said("jubako image bootstrap busybox")
    yield
    said("jubako ps -aq | xargs -r jubako rm -f; jubako system prune -af --volumes")
    until(lambda: not scopes(), f"left: {scopes()}")


def test_limits_are_there_and_no_scope_is_left() -> None:
    out = said(f"jubako run --rm --network none {LIMITS} busybox sh -c '{FILES}'")
    assert out.split() == [str(64 << 20), str(64 << 20), "20", "50000", "100000"]
    assert containers() == []


def test_the_verbs_that_need_a_group() -> None:
    out = said(
        """jubako run -d --name box --network none -m 64m busybox sleep 100 >/dev/null
        jubako stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' box
        jubako exec box cat /proc/self/cgroup
        jubako pause box; jubako inspect -f '{{.State.Status}}' box; jubako unpause box
        jubako update -m 32m --pids-limit 9 box; jubako exec box cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
        jubako top box -eo pid,args"""
    ).splitlines()
    assert out[0].endswith("/ 64MiB 1")
    assert out[1:7] == ["0::/", "box", "paused", "box", "box", str(32 << 20)]
    assert out[7] == "9"
    assert out[-1].endswith("sleep 100")
    (scope,) = containers()
    assert (own_slice() / scope / "pids.max").read_text() == "9\n"
    said("jubako rm -f box")
    assert containers() == []


def test_who_has_no_memory_left_is_killed_and_it_is_said() -> None:
    out = said(
        """jubako run --name box --network none -m 16m --memory-swap 16m busybox sh -c 'exec tail /dev/zero' || echo $?
        jubako inspect -f '{{.State.OOMKilled}}' box"""
    )
    assert out.split()[-2:] == ["137", "true"]
    assert containers() == []


def test_a_controller_that_systemd_was_not_given_is_told() -> None:
    assert "cpuset" not in (own_slice().parent / "cgroup.controllers").read_text()
    out = said(
        """jubako run -d --name box --network none --cpuset-cpus 0 busybox sleep 100
        ! jubako update --cpuset-cpus 0 box"""
    )
    assert out.count("the limits of CPU sets are not set: of the controllers this user has cpu memory pids") == 2


def test_doctor_and_info_tell_who_makes_the_groups() -> None:
    out = said("jubako doctor; jubako info")
    assert "ok        limits" in out
    assert "the user's systemd: cpu memory pids" in out
    assert "Cgroup Driver: systemd" in out


def test_who_is_in_a_group_of_the_users_is_not_moved() -> None:
    run = [COMMAND, "run", "-d", "--network", "none", "busybox", "sleep", "100"]
    done = in_session("systemd-run", "--user", "--scope", "--quiet", *run)
    assert done.returncode == 0, done.stdout
    assert scopes() == containers() != []


def test_a_killed_monitor_leaves_no_scope() -> None:
    said("jubako run -d --name box --network none busybox sleep 4996")
    (first,) = map(int, (own_slice() / containers()[0] / "cgroup.procs").read_text().split())
    os.kill(int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    until(lambda: not scopes(), "a scope is left")
    assert "Exited (137)" in said("jubako ps -a")


def test_a_killed_command_leaves_no_scope() -> None:
    """One that has made the scope, and had no time to put a container into it."""
    kill = "group = manager.create(manager.name_for('killed')); os.kill(os.getpid(), 9)"
    script = f"import os; from jubako.linux import cgroup; manager = cgroup.at(cgroup.SYSTEMD); {kill}"
    done = in_session(sys.executable, "-c", script)
    assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done.stdout
    until(lambda: not scopes(), "a scope is left")


def test_a_session_that_does_not_reach_systemd_ends_what_another_started() -> None:
    out = said(
        """jubako run -d --name box --network none busybox sleep 100
        export DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere
        jubako pause box; jubako unpause box; jubako stop -t 0 box; jubako rm box
        jubako run --rm --network none -m 64m busybox echo ran"""
    )
    assert "the limits of memory are not set: the user's own systemd would make the control groups, but" in out
    assert out.splitlines()[-1] == "ran"
    assert containers() == []


def test_one_that_ends_while_nobody_is_there_leaves_no_scope() -> None:
    """The command that its monitor runs then is root of the user's namespace from its beginning."""
    said("jubako run -d --rm --name box --network none busybox sleep 1")
    until(lambda: not scopes(), "a scope is left", 60)
    assert said("jubako ps -aq") == ""
