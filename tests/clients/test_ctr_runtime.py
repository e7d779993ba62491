"""containerd's own client with `jubako-oci` in place of runc, on a containerd of this run's own."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.clients.conftest import RUNTIME, Peer
from tests.clients.sight import REPORT, differences

pytestmark = [pytest.mark.clients, pytest.mark.root, pytest.mark.usefixtures("runtime_keeper")]

IMAGE = "docker.io/library/busybox:latest"
CONFIGURATION = """
version = 2
root = "{base}/root"
state = "{base}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "{base}/s.sock"
[ttrpc]
  address = "{base}/t.sock"
"""


@pytest.fixture(scope="module")
def ctr(busybox: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """ctr with a containerd that has busybox."""
    base = tmp_path_factory.mktemp("containerd")
    (base / "config.toml").write_text(CONFIGURATION.format(base=base))
    peer = Peer(["ctr", "-a", f"{base}/s.sock"])
    with ExitStack() as stack:
        log = stack.enter_context((base / "log").open("wb"))
        daemon = subprocess.Popen(["containerd", "-c", f"{base}/config.toml"], stdout=log, stderr=log)
        stack.callback(_unmount, base)
        stack.callback(daemon.wait, 30)
        stack.callback(daemon.terminate)
        deadline = time.monotonic() + 30
        while peer.run("version").returncode:
            assert time.monotonic() < deadline, (base / "log").read_text()[-800:]
            time.sleep(0.05)
        peer("images", "import", "--base-name", "busybox", str(busybox))
        yield peer


def _unmount(base: Path) -> None:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in reversed([point for point in points if point.startswith(f"{base}/")]):
        subprocess.run(["umount", point], check=True)


def run(ctr: Peer, name: str, *command: str, options: tuple[str, ...] = (), runtime: Path = RUNTIME) -> str:
    """What a container of its own prints."""
    return ctr("run", "--rm", "--runc-binary", str(runtime), *options, IMAGE, name, *command)


def status(ctr: Peer, name: str) -> str:
    """A task's status; "" when there is none."""
    rows = [line.split() for line in ctr("tasks", "ls").splitlines()]
    return "".join(row[2] for row in rows if row[0] == name)


def await_status(ctr: Peer, name: str, wanted: str) -> None:
    deadline = time.monotonic() + 20
    while status(ctr, name) != wanted:
        assert time.monotonic() < deadline, status(ctr, name)
        time.sleep(0.05)


@pytest.mark.parametrize("options", [(), ("--net-host", "--read-only", "--cwd", "/tmp", "--env", "A=b", "--seccomp")])
def test_a_container_sees_what_it_sees_under_runc(ctr: Peer, options: tuple[str, ...]) -> None:
    reports = [
        run(ctr, "look", "sh", "-c", REPORT, options=options, runtime=runtime)
        for runtime in (Path("/usr/sbin/runc"), RUNTIME)
    ]
    assert differences(*reports, ordered=True) == {}


def test_the_life_of_a_task(ctr: Peer) -> None:
    patient = "trap 'exit 3' TERM; while :; do sleep 0.05; done"
    ctr("run", "-d", "--runc-binary", str(RUNTIME), IMAGE, "one", "sh", "-c", patient)
    assert status(ctr, "one") == "RUNNING"
    done = ctr.run(
        "tasks", "exec", "--exec-id", "a", "--user", "5:6", "--cwd", "/tmp", "one", "sh", "-c", "pwd; exit 4"
    )
    assert (done.returncode, done.stdout) == (4, b"/tmp\n")
    said = ctr.run("tasks", "exec", "--exec-id", "b", "one", "nothing").stderr
    assert b'exec: "nothing": executable file not found in $PATH' in said
    ctr("tasks", "pause", "one")
    assert status(ctr, "one") == "PAUSED"
    ctr("tasks", "resume", "one")
    assert len(ctr("tasks", "ps", "one").splitlines()) >= 2
    ctr("tasks", "kill", "-s", "TERM", "one")
    await_status(ctr, "one", "STOPPED")
    assert ctr.run("tasks", "rm", "one").returncode in (0, 3)
    ctr("containers", "rm", "one")
    assert status(ctr, "one") == ""


def test_codes_mounts_and_limits(ctr: Peer, tmp_path: Path) -> None:
    assert ctr.run("run", "--rm", "--runc-binary", str(RUNTIME), IMAGE, "code", "sh", "-c", "exit 5").returncode == 5
    (tmp_path / "file").write_text("text")
    mount = ("--mount", f"type=bind,src={tmp_path},dst=/mnt,options=rbind:ro")
    assert run(ctr, "bound", "sh", "-c", "cat /mnt/file; touch /mnt/x || echo ro", options=mount) == "textro\n"
    limits = ("--memory-limit", str(32 << 20), "--mount", "type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro")
    shown = run(ctr, "small", "cat", "/sys/fs/cgroup/memory/memory.limit_in_bytes", options=limits)
    assert shown == f"{32 << 20}\n"


def test_a_terminal(ctr: Peer) -> None:
    line = f"stty rows 33 cols 77; {' '.join(ctr.argv)} run --rm --runc-binary {RUNTIME} -t {IMAGE} seat tty"
    done = subprocess.run(["script", "-qec", line, "/dev/null"], stdin=subprocess.DEVNULL, capture_output=True)
    assert (done.returncode, b"/dev/pts/0" in done.stdout) == (0, True)
