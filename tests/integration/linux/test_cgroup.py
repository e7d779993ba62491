"""One suite for every cgroup manager that this machine can have. v2 runs on the unified hierarchy of a hybrid machine,
too, where it has no controllers: then limits are left out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.errors import FailedPrecondition, JubakoError
from jubako.linux import cgroup, systemd
from jubako.linux.cgroup import CgroupHandle, CgroupManager, Hierarchies
from jubako.linux.cgroup.v2 import V2Handle
from jubako.runtime.defaults import DEVICE_RULES
from jubako.spec.oci_runtime import CPUResources, DeviceRule, MemoryResources, PidsResources, Resources

pytestmark = pytest.mark.root


def managers() -> dict[str, CgroupManager]:
    from jubako.linux.cgroup.systemd import SystemdManager
    from jubako.linux.cgroup.v1 import V1Manager
    from jubako.linux.cgroup.v2 import V2Manager

    found = cgroup.find_hierarchies(Path("/proc/self/mountinfo").read_text())
    made: dict[str, CgroupManager] = {}
    if found.unified:
        made["v2"] = V2Manager(found.unified)
    if found.v1:
        made["v1"] = V1Manager(Hierarchies(found.v1, ""))
        without = {kind: root for kind, root in found.v1.items() if kind != "freezer"}
        made["v1 without freezer"] = V1Manager(Hierarchies(without, ""))
        if found.unified:
            made["hybrid"] = V1Manager(found)
    elif systemd.runs():
        made["systemd"] = SystemdManager(found.unified)
    return made


def manager_of(version: str) -> CgroupManager:
    found = managers().get(version)
    if not found:
        pytest.skip(f"no {version} on this machine")
    return found


@pytest.fixture(params=["v1", "hybrid", "v2"])
def manager(request: pytest.FixtureRequest) -> CgroupManager:
    """One whose groups have names of ours, and may be empty."""
    return manager_of(request.param)


@pytest.fixture(params=["v1", "hybrid", "v2", "systemd"])
def group(request: pytest.FixtureRequest) -> Iterator[CgroupHandle]:
    name = f"test-{os.getpid()}"
    path = f"system.slice/jubako-{name}.scope" if request.param == "systemd" else name
    made = manager_of(request.param).create(path, Resources(devices=DEVICE_RULES))
    yield made
    made.remove()


@pytest.fixture
def sleeper(group: CgroupHandle) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "100"])
    group.add(process.pid)
    group.joined()
    yield process
    process.kill()
    process.wait()


def test_a_group_is_made_listed_and_removed(manager: CgroupManager) -> None:
    name = f"test-made-{os.getpid()}"
    group = manager.create(name)
    assert name in manager.names()
    assert group.pids() == []
    group.remove()
    group.remove()
    assert name not in manager.names()


def test_nested_names_are_removed_whole(manager: CgroupManager) -> None:
    parent = f"test-nested-{os.getpid()}"
    manager.create(f"{parent}/inner/most")
    manager.open(parent).remove()
    assert parent not in manager.names()


def test_groups_above_go_with_the_last_that_is_beneath_them(manager: CgroupManager) -> None:
    """podman and docker ask for libpod_parent/… and docker/…"""
    above = f"test-{os.getpid()}-above"
    one, two = manager.create(f"{above}/inner/one"), manager.create(f"{above}/inner/two")
    one.remove()
    assert above in manager.names()
    two.remove()
    assert above not in manager.names()


def test_an_empty_group_that_was_left_behind_is_taken_over(manager: CgroupManager) -> None:
    name = f"test-left-{os.getpid()}"
    manager.create(name, Resources(devices=DEVICE_RULES))
    group = manager.create(name, Resources(devices=DEVICE_RULES))
    assert group.pids() == []
    group.remove()


def test_a_process_is_added_and_killed(group: CgroupHandle, sleeper: subprocess.Popen[bytes]) -> None:
    assert group.pids() == [sleeper.pid]
    group.kill_all()
    assert sleeper.wait(60) == -9


def test_frozen_processes_stand_still_until_thawed(group: CgroupHandle) -> None:
    process = subprocess.Popen(["sh", "-c", "while :; do echo x; sleep 0.005; done"], stdout=subprocess.PIPE)
    assert process.stdout
    group.add(process.pid)
    group.freeze()
    os.set_blocking(process.stdout.fileno(), False)
    process.stdout.read()
    time.sleep(0.1)
    assert not process.stdout.read()
    group.thaw()
    os.set_blocking(process.stdout.fileno(), True)
    assert process.stdout.read(1) == b"x"
    group.kill_all()
    process.wait(60)


def test_killing_works_while_frozen(group: CgroupHandle, sleeper: subprocess.Popen[bytes]) -> None:
    group.freeze()
    group.kill_all()
    group.thaw()
    assert sleeper.wait(60) == -9


def test_removal_kills_what_is_left(manager: CgroupManager) -> None:
    group = manager.create(f"test-left-{os.getpid()}")
    process = subprocess.Popen(["sh", "-c", "while :; do sleep 0.01; done"])
    group.add(process.pid)
    group.remove()
    assert process.wait(60) == -9
    assert group.name not in manager.names()


def test_device_rules_decide_and_can_be_replaced(group: CgroupHandle) -> None:
    def opens(path: str) -> bool:
        script = 'read line; exec 3< "$0"'
        process = subprocess.Popen(["sh", "-c", script, path], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        group.add(process.pid)
        process.communicate(b"\n")
        return process.returncode == 0

    assert opens("/dev/null")
    assert not opens("/dev/kmsg")
    group.update(Resources(devices=[DeviceRule(allow=True)]))
    assert opens("/dev/kmsg")


def test_statistics_are_there(group: CgroupHandle) -> None:
    process = subprocess.Popen(
        ["sh", "-c", "read x; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"], stdin=subprocess.PIPE
    )
    group.add(process.pid)
    assert process.stdin
    process.communicate(b"\n")
    stats = group.stats()
    assert stats.cpu_ns > 0
    assert stats.pids == len(group.pids())


def test_limits_are_set_and_changed(manager: CgroupManager) -> None:
    if manager.version == "v2" and not (Path("/sys/fs/cgroup/cgroup.controllers").exists()):
        pytest.skip("no controllers on the unified hierarchy")
    resources = Resources(memory=MemoryResources(limit=64 << 20, swap=128 << 20), pids=PidsResources(limit=50),
                          cpu=CPUResources(quota=50000, period=100000, shares=512))  # fmt: skip
    group = manager.create(f"test-limits-{os.getpid()}", resources)
    try:
        assert (group.stats().memory_limit, group.stats().pids_limit) == (64 << 20, 50)
        group.update(Resources(memory=MemoryResources(limit=256 << 20, swap=512 << 20), pids=PidsResources(limit=70)))
        assert (group.stats().memory_limit, group.stats().pids_limit) == (256 << 20, 70)
        group.update(Resources(memory=MemoryResources(limit=32 << 20, swap=64 << 20)))
        assert group.stats().memory_limit == 32 << 20
    finally:
        group.remove()


def test_cpus_are_set_at_any_time(group: CgroupHandle, sleeper: subprocess.Popen[bytes]) -> None:
    if isinstance(group, V2Handle) and not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        pytest.skip("no controllers on the unified hierarchy")
    group.update(Resources(cpu=CPUResources(cpus="0")))
    assert os.sched_getaffinity(sleeper.pid) == {0}


def test_a_limit_that_is_refused_leaves_no_group(manager: CgroupManager) -> None:
    name = f"test-refused-{os.getpid()}"
    with pytest.raises(JubakoError, match=r"cpu\.cpus"):
        manager.create(f"{name}/inner", Resources(cpu=CPUResources(cpus="4000")))
    assert name not in manager.names()


# A process that forks and ends is gone by the time that somebody who has read its pid signals it: a dozen do that,
# among many that sleep so that signalling all takes its time. They end by themselves at last. Signals are blocked while
# they fork, as every libc does it in posix_spawn(3) and most do in fork(3).
RELAY = """
import os, signal, sys, time
def fork():
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    child = os.fork()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return child
sys.stdin.read()
for _ in range(150):
    if not os.fork():
        time.sleep(20)
        os._exit(0)
for _ in range(12):
    if not os.fork():
        for _ in range(2000):
            if fork():
                os._exit(0)
        open(sys.argv[1], "w").close()
        os._exit(0)
"""


# Without a freezer only SIGKILL can be repeated until nobody is left: a signal that is sent once may be outrun.
@pytest.mark.parametrize(
    ("version", "number"),
    [
        *((version, signal.SIGKILL) for version in ("v1", "v1 without freezer", "hybrid", "v2")),
        *((version, signal.SIGTERM) for version in ("v1", "hybrid", "v2")),
    ],
)
def test_nobody_outruns_a_signal_to_all(version: str, number: int, tmp_path: Path) -> None:
    group = manager_of(version).create(f"test-relay-{os.getpid()}")
    try:
        process = subprocess.Popen([sys.executable, "-SE", "-c", RELAY, str(tmp_path / "end")], stdin=subprocess.PIPE)
        group.add(process.pid)
        process.communicate(b"")
        if number == signal.SIGKILL:
            group.kill_all()
        else:
            group.signal_all(number)
        deadline = time.monotonic() + 5
        while group.pids() and time.monotonic() < deadline:
            time.sleep(0.001)
        assert group.pids() == []
        assert not (tmp_path / "end").exists()
    finally:
        group.remove()


def test_without_any_freezer_pausing_is_refused() -> None:
    group = manager_of("v1 without freezer").create(f"test-pause-{os.getpid()}")
    try:
        with pytest.raises(FailedPrecondition, match="cannot toggle freezer"):
            group.freeze()
    finally:
        group.remove()
