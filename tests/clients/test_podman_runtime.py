"""podman with `jubako-oci` as its runtime: all of a container's life, and the same sight as under runc."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.conftest import LIMITS, RUNTIME, Peer
from tests.clients.sight import REPORT, differences, seen_by_exec

pytestmark = [pytest.mark.clients, pytest.mark.root, pytest.mark.usefixtures("runtime_keeper")]

OFFLINE = ["--network", "none", *LIMITS]
PATIENT = "trap 'echo usr' USR1; trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"


@pytest.fixture(scope="module")
def ours(podman: Peer) -> Peer:
    """The same podman, storage and images, with our runtime."""
    at = podman.argv.index("--runtime")
    return Peer([*podman.argv[:at], "--runtime", str(RUNTIME), *podman.argv[at + 2 :]])


@pytest.fixture
def running(ours: Peer) -> Iterator[Peer]:
    """With the container `one`."""
    ours("run", "-d", "--name", "one", *OFFLINE, "busybox", "sh", "-c", PATIENT)
    yield ours
    ours("rm", "-f", "-t", "0", "one")


@pytest.mark.parametrize(
    "options",
    [
        "--network none",
        "--network none -t",
        "--network none --privileged",
        "--network none --user 5:6 --group-add 7 -w /tmp -h box -e A=b -m 64m --cpus 0.5 --read-only --tmpfs /tmp "
        "--sysctl net.ipv4.ip_forward=1 --ulimit core=0:0 --device /dev/fuse --oom-score-adj 100 --cap-drop all "
        "--cap-add kill --pids-limit 50 --shm-size 10m --security-opt no-new-privileges",
        "--network host --ipc host --uts host --cgroupns host",
    ],
)
def test_a_container_sees_what_it_sees_under_runc(podman: Peer, ours: Peer, options: str) -> None:
    arguments = ["run", "--rm", *LIMITS, *options.split(), "busybox", "sh", "-c", REPORT]
    assert differences(podman(*arguments), ours(*arguments), ordered=False) == {}


def test_exec_pause_stop_and_what_is_told_of_them(running: Peer) -> None:
    assert seen_by_exec(running) == ["5", "b", "/tmp"]
    assert running.run("exec", "one", "sh", "-c", "exit 9").returncode == 9
    assert running.run("exec", "one", "nothing").returncode == 127
    assert running.run("exec", "one", "/etc").returncode == 126
    assert "/dev/pts/" in running("exec", "-t", "one", "tty")
    running("exec", "-d", "one", "sleep", "77")
    assert "sleep 77" in running("top", "one")
    running("pause", "one")
    assert running("inspect", "--format", "{{.State.Status}} {{.OCIRuntime}}", "one") == f"paused {RUNTIME}\n"
    running("unpause", "one")
    running("kill", "-s", "USR1", "one")
    assert "B / " in running("stats", "--no-stream", "--format", "{{.MemUsage}}", "one")
    running("stop", "one")
    assert running("wait", "one") == "3\n"
    assert running("logs", "one") == "up\nusr\nbye\n"


def test_update_and_kill(running: Peer) -> None:
    running("update", "--memory", "64m", "--cpus", "0.5", "one")
    files = "/sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us"
    assert running("exec", "one", "sh", "-c", f"cat {files}").split() == [str(64 << 20), "50000"]
    running("kill", "-s", "KILL", "one")
    assert running("wait", "one") == "137\n"
    running("start", "one")
    assert running("inspect", "--format", "{{.State.Status}}", "one") == "running\n"


def test_health_is_checked_by_exec(ours: Peer) -> None:
    ours("run", "-d", "--name", "well", "--health-cmd", "test -e /ok", *OFFLINE, "busybox", "sleep", "100")
    assert ours.run("healthcheck", "run", "well").returncode == 1
    ours("exec", "well", "touch", "/ok")
    assert ours.run("healthcheck", "run", "well").returncode == 0
    ours("rm", "-f", "-t", "0", "well")


@pytest.mark.parametrize(("program", "code"), [("nothing", 127), ("/etc", 126), ("/etc/passwd", 126)])
def test_a_program_that_can_not_run_has_the_code_for_it(ours: Peer, program: str, code: int) -> None:
    assert ours.run("run", "--rm", *OFFLINE, "busybox", program).returncode == code


def test_volumes_seccomp_and_namespaces(ours: Peer, tmp_path: Path) -> None:
    def sh(script: str, *options: str) -> str:
        return ours("run", "--rm", *OFFLINE, *options, "busybox", "sh", "-c", script)

    (tmp_path / "file").write_text("text")
    assert sh("cat /mnt/file; touch /mnt/x || echo ro", "-v", f"{tmp_path}:/mnt:ro") == "textro\n"
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    assert sh("mkdir /x || echo no", "--security-opt", f"seccomp={tmp_path}/profile.json") == "no\n"
    ids = ("--uidmap", "0:100000:5000", "--gidmap", "0:200000:5000")
    assert sh("cat /proc/self/uid_map; touch /x; stat -c %u /x", *ids).split() == ["0", "100000", "5000", "0"]
    assert int(sh("ls -d /proc/[0-9]* | wc -l", "--pid", "host")) > 3
    assert sh("mount -t tmpfs none /tmp && echo mounted", "--privileged") == "mounted\n"


def test_a_terminal_attached(ours: Peer) -> None:
    command = [*ours.argv, "run", "--rm", "-it", *OFFLINE, "busybox", "sh", "-c", "stty size; tty"]
    line = f"stty rows 33 cols 77; {' '.join(command[:-1])} '{command[-1]}'"
    done = subprocess.run(["script", "-qec", line, "/dev/null"], stdin=subprocess.DEVNULL, capture_output=True)
    assert (done.returncode, done.stdout.replace(b"^@", b"").split()) == (0, [b"33", b"77", b"/dev/pts/0"])
