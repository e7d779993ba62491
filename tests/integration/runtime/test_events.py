"""`events` and `kill --all` of `jubako-oci`: what containerd decodes, as it happens; and nobody who gets away."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import until

from jubako.linux import cgroup

from .oci import Oci, group_name

pytestmark = pytest.mark.root

V2 = cgroup.manager().version == "v2"
MIB = 1 << 20


@contextmanager
def following(oci: Oci, *options: str) -> Iterator[Path]:
    """The file that `events` writes to, which is watching memory by now."""
    path = oci.base / "events"
    command = oci.command("events", *options, "one")
    with path.open("w") as file:  # cold, so that the watch is this process's own
        process = subprocess.Popen(command, stdout=file, env={**os.environ, "JUBAKO_KEEPER": "0"})
    try:
        until(lambda: any(is_watch(fd) for fd in Path(f"/proc/{process.pid}/fd").iterdir()))
        yield path
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def is_watch(fd: Path) -> bool:
    try:
        return "eventfd" in os.readlink(fd) or "memory.events" in os.readlink(fd)
    except FileNotFoundError:
        return False


def documents(path: Path) -> list[dict[str, Any]]:
    whole, _, _ = path.read_text().rpartition("\n")  # the last line may be on its way
    return [json.loads(line) for line in whole.splitlines()]


def test_running_out_of_memory_is_told_as_it_happens(oci: Oci) -> None:
    oci.mount(oci.base, "/tmp")
    oci.resources(memory={"limit": 16 * MIB, "swap": 16 * MIB})
    oci.configure("sh", "-c", "tail /dev/zero; while [ ! -e /tmp/enough ]; do sleep 0.05; done")
    oci.create("one")
    with following(oci, "--interval", "1h") as path:
        assert oci("start", "one").returncode == 0
        until(lambda: {"type": "oom", "id": "one"} in documents(path))
        assert oci.status("one") == "running"
        (oci.base / "enough").touch()
    assert {document["type"] for document in documents(path)} == {"oom"}


def test_the_death_of_the_container_itself_is_told_last(oci: Oci) -> None:
    oci.resources(memory={"limit": 16 * MIB, "swap": 16 * MIB})
    oci.configure("tail", "/dev/zero")
    oci.create("one")
    with following(oci, "--interval", "1h") as path:
        assert oci("start", "one").returncode == 0
    assert {"type": "oom", "id": "one"} in documents(path)
    assert oci.status("one") == "stopped"


def test_statistics_come_at_intervals_until_the_end(oci: Oci) -> None:
    oci.create("one")
    with following(oci, "--interval", "0.05s") as path:
        until(lambda: len(documents(path)) > 2)
        assert oci("delete", "--force", "one").returncode == 0
    assert {document["type"] for document in documents(path)} == {"stats"}


def test_statistics_count_what_the_container_does(oci: Oci) -> None:
    oci.resources(memory={"limit": 64 * MIB, "swap": 64 * MIB}, pids={"limit": 30}, cpu={"quota": 90000})
    oci.mount(oci.base, "/tmp")
    busy = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; x=$(head -c 3000000 /dev/zero | tr '\\0' a)"
    oci.configure("sh", "-c", f"{busy}; touch /tmp/done; sleep 99; :")
    assert oci("run", "-d", "-b", str(oci.bundle), "one").returncode == 0
    until((oci.base / "done").exists)
    data = json.loads(oci("events", "--stats", "one").stdout)["data"]
    assert data["cpu"]["usage"]["total"] > 1_000_000
    assert data["memory"]["usage"]["limit"] == 64 * MIB
    assert data["memory"]["usage"]["usage"] > 2_000_000
    assert data["memory"]["swap"]["limit"] == 64 * MIB
    assert data["memory"]["usage"]["max"] >= data["memory"]["usage"]["usage"]
    assert data["memory"]["raw"]["pgfault"] > 100
    assert data["pids"] == {"current": 2, "limit": 30}
    assert data["network_interfaces"] is None
    if V2:
        assert data["memory"]["raw"]["anon"] > 2_000_000
    else:
        assert sum(data["cpu"]["usage"]["percpu"]) >= 1_000_000
        assert data["cpuset"]["cpus"][0] == 0
        assert data["memory"]["kernel"]["usage"] > 0


@pytest.mark.skipif(not V2, reason="for cgroup v2")
def test_pressure_is_told_on_v2(oci: Oci) -> None:
    if not Path("/proc/pressure/cpu").exists():
        pytest.skip("no PSI")
    oci.create("one")
    data = json.loads(oci("events", "--stats", "one").stdout)["data"]
    assert set(data["memory"]["psi"]["some"]) == {"avg10", "avg60", "avg300", "total"}


RUNNERS = """
i=0
while [ $i -lt 20 ]; do
    sh -c 'n=0; while [ $n -lt 5000 ]; do sleep 0.001 & wait; n=$((n+1)); done' &
    i=$((i+1))
done
echo > /tmp/ready
wait; wait
"""


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_all_are_signalled_however_fast_they_fork(oci: Oci, signal: str) -> None:
    oci.mount(oci.base, "/tmp")
    oci.resources(pids={"limit": 80})
    oci.configure("sh", "-c", RUNNERS)
    assert oci("run", "-d", "-b", str(oci.bundle), "one").returncode == 0
    until((oci.base / "ready").exists)
    assert oci("kill", "--all", "one", signal).returncode == 0
    first = json.loads(oci("state", "one").stdout)["pid"]
    left = {first} if signal == "TERM" else set()  # the first of a pid namespace ignores what it does not handle
    until(lambda: set(cgroup.manager().open(group_name("one")).pids()) <= left)


def test_a_paused_container_is_killed(oci: Oci) -> None:
    oci.create("one")
    assert oci("start", "one").returncode == 0
    assert oci("pause", "one").returncode == 0
    assert oci("kill", "one", "KILL").returncode == 0
    until(lambda: oci.status("one") == "stopped")


def test_a_paused_container_stays_paused_when_it_is_signalled(oci: Oci) -> None:
    oci.create("one")
    assert oci("start", "one").returncode == 0
    assert oci("pause", "one").returncode == 0
    assert oci("kill", "--all", "one", "USR1").returncode == 0
    assert oci.status("one") == "paused"
