"""The monitor: it outlives its creator, keeps what it was given, cleans up when nobody else does, and stays small."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import until

from jubako.runtime import state
from jubako.spec.oci_runtime import DeviceRule, MemoryResources, PidsResources, Resources

pytestmark = pytest.mark.root

CREATOR = """
import json, sys
from contextlib import ExitStack
from pathlib import Path
from jubako.runtime import executor
from jubako.spec import oci_runtime
asked = json.loads(sys.argv[1])
spec = oci_runtime.decode(Path(asked["config"]).read_bytes())
handle = executor.create(executor.Launch(spec=spec, run_dir=asked["run_dir"], cleanup=asked["cleanup"]))
handle.start()
print(handle.pid, handle._monitor, flush=True)
if asked["then"] == "detach":
    handle.detach()
else:
    handle.wait()
    if asked["then"] == "acknowledge":
        handle.acknowledge()
"""


def creator(runtime: Any, run_dir: Path, marker: Path, then: str, *args: str) -> subprocess.Popen[str]:
    """A process of its own that starts a container and `then` does its part."""
    from jubako.spec import oci_runtime

    config = runtime.base / "config.json"
    config.write_bytes(oci_runtime.encode(runtime.spec(*args)))
    asked = {
        "config": str(config),
        "run_dir": str(run_dir),
        "cleanup": ["/bin/sh", "-c", f"echo $0 > {marker}"],
        "then": then,
    }
    path = os.pathsep.join(sys.path)
    return subprocess.Popen(
        [sys.executable, "-c", CREATOR, json.dumps(asked)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_it_goes_on_after_its_creator_and_cleans_up_at_the_end(runtime: Any, tmp_path: Path) -> None:
    run_dir, marker = runtime.directory("run"), tmp_path / "marker"
    with creator(runtime, run_dir, marker, "detach", "sleep", "100") as process:
        assert process.stdout
        pid, _ = map(int, process.stdout.readline().split())
        assert process.wait(60) == 0
    assert state.read(run_dir).status == "running"
    assert not marker.exists()
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGKILL)
    until(marker.exists)
    assert state.read(run_dir).exit.signal == 9


def test_a_killed_creator_changes_nothing(runtime: Any, tmp_path: Path) -> None:
    run_dir, marker = runtime.directory("run"), tmp_path / "marker"
    with creator(runtime, run_dir, marker, "wait", "sleep", "0.5") as process:
        assert process.stdout
        process.stdout.readline()
        process.kill()
    assert state.read(run_dir).status == "running"
    until(marker.exists)
    assert state.read(run_dir).exit.code == 0


def test_an_acknowledged_end_needs_no_cleanup(runtime: Any, tmp_path: Path) -> None:
    run_dir, marker = runtime.directory("run"), tmp_path / "marker"
    with creator(runtime, run_dir, marker, "acknowledge", "true") as process:
        assert process.stdout
        _, monitor = map(int, process.stdout.readline().split())
        assert process.wait(60) == 0
    until(lambda: not os.path.exists(f"/proc/{monitor}"))
    assert not marker.exists()


@pytest.mark.parametrize("stays", [True, False])
def test_who_awaits_the_end_cleans_up_as_long_as_he_lives(runtime: Any, tmp_path: Path, stays: bool) -> None:
    run_dir, marker = runtime.directory("run"), tmp_path / "marker"
    with creator(runtime, run_dir, marker, "detach", "sleep", "100") as process:
        assert process.stdout
        pid, monitor = map(int, process.stdout.readline().split())
        assert process.wait(60) == 0
    with ExitStack() as awaiting:
        awaiting.enter_context(state.awaited(run_dir))
        if not stays:
            awaiting.close()
        os.kill(pid, signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{monitor}"))
    if not stays:
        until(marker.exists)
    assert marker.exists() is not stays
    assert state.read(run_dir).exit.signal == 9


def test_a_killed_monitor_takes_its_container_along(runtime: Any) -> None:
    run_dir = runtime.directory("run")
    handle = runtime.create(runtime.spec("sleep", "100"), run_dir=run_dir)
    handle.start()
    os.kill(handle._monitor, signal.SIGKILL)
    until(lambda: state.read(run_dir).status == "stopped")
    assert state.read(run_dir).exit is None


def test_an_abandoned_creation_leaves_nothing(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("sleep", "100"))
    pid, monitor = handle.pid, handle._monitor
    handle.abandon()
    assert not os.path.exists(f"/proc/{pid}")
    assert not os.path.exists(f"/proc/{monitor}")


def test_kept_sockets_live_as_long_as_the_container(runtime: Any) -> None:
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    port = server.getsockname()[1]
    handle = runtime.create(runtime.spec("sleep", "100"))
    handle.keep([server.fileno()])
    server.close()
    handle.start()
    time.sleep(0.05)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    handle.signal(9)
    handle.wait(60)
    handle.acknowledge()
    until(lambda: _can_bind(port))


def _can_bind(port: int) -> bool:
    with socket.socket() as other:
        try:
            other.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def test_it_forwards_signals_that_it_gets(runtime: Any) -> None:
    script = "trap 'exit 33' TERM; echo up; while :; do sleep 0.02; done"
    handle = runtime.create(runtime.spec("sh", "-c", script), attach=True)
    handle.start()
    assert handle.attached.read(60).data == b"up\n"
    os.kill(handle._monitor, signal.SIGTERM)
    assert handle.wait(60).code == 33


def test_it_costs_less_than_a_megabyte(runtime: Any) -> None:
    handle = runtime.create(runtime.spec("cat"), stdin=True, attach=True)
    handle.start()
    handle.attached.write(b"x" * 30000)
    handle.attached.read(10)
    rollup = Path(f"/proc/{handle._monitor}/smaps_rollup").read_text()
    pss = int(rollup.partition("Pss:")[2].split()[0])
    assert pss < 1024


def test_a_memory_limit_kills_and_the_exit_says_so(runtime: Any) -> None:
    group = runtime.group(Resources(memory=MemoryResources(limit=16 << 20, swap=16 << 20)))
    _, ended = runtime.run("sh", "-c", "x=$(head -c 60000000 /dev/zero | tr '\\0' a)", cgroup=group)
    assert ended.oom


def test_a_process_limit_holds_a_fork_bomb(runtime: Any) -> None:
    group = runtime.group(Resources(pids=PidsResources(limit=12)))
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 5 & done; echo made"
    handle = runtime.create(runtime.spec("sh", "-c", script), cgroup=group, attach=True)
    handle.start()
    time.sleep(0.3)
    assert len(group.pids()) <= 12
    handle.signal(9)
    assert handle.wait(60)


def test_devices_are_refused_by_the_group(runtime: Any) -> None:
    output, _ = runtime.run(
        "sh",
        "-c",
        "mknod /tmp/k c 1 11; head -c 1 /tmp/k 2>/dev/null || echo no; head -c 1 /dev/zero | wc -c",
        cgroup=runtime.group(),
    )
    assert output.split()[-2:] == ["no", "1"]
    open_group = runtime.group(Resources(devices=[DeviceRule(allow=True)]))
    output, _ = runtime.run("sh", "-c", "mknod /tmp/z b 7 200; cat /tmp/z", cgroup=open_group)
    assert "permitted" not in output
