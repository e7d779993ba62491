"""dockerd with `jubako-oci` beside runc: the same answers, codes and sight from both."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.conftest import Peer
from tests.clients.sight import REPORT, differences, seen_by_exec

pytestmark = [pytest.mark.clients, pytest.mark.root, pytest.mark.usefixtures("runtime_keeper")]

OURS = ["--runtime", "jubako", "--network", "none", "--ulimit", "nproc=1024:1024"]
PATIENT = "trap 'echo usr; exit 3' USR1; echo up; while :; do sleep 0.05; done"


@pytest.fixture
def running(docker: Peer) -> Iterator[Peer]:
    """With the container `one` on our runtime."""
    docker("run", "-d", "--name", "one", "--stop-signal", "USR1", *OURS, "busybox", "sh", "-c", PATIENT)
    yield docker
    docker("rm", "-f", "one")


def state(docker: Peer, name: str) -> str:
    return docker("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}", name).strip()


def await_state(docker: Peer, name: str, wanted: str) -> None:
    deadline = time.monotonic() + 20
    while state(docker, name) != wanted:
        assert time.monotonic() < deadline, state(docker, name)
        time.sleep(0.05)


@pytest.mark.parametrize(
    "options",
    [
        "--network none",
        "--network none -t",
        "--network none --user 5:6 --group-add 7 -w /tmp -h box -e A=b -m 64m --cpus 0.5 --read-only --tmpfs /tmp "
        "--sysctl net.ipv4.ip_forward=1 --ulimit core=0:0 --device /dev/fuse --oom-score-adj 100 --cap-drop all "
        "--cap-add kill --pids-limit 50 --shm-size 10m",
        "--network host --ipc host --uts host",
        "--network bridge --security-opt no-new-privileges --security-opt seccomp=unconfined --cgroupns private",
    ],
)
def test_a_container_sees_what_it_sees_under_runc(docker: Peer, options: str) -> None:
    limits = ["--ulimit", "nproc=1024:1024"]
    reports = [
        docker("run", "--rm", "--runtime", runtime, *limits, *options.split(), "busybox", "sh", "-c", REPORT)
        for runtime in ("runc", "jubako")
    ]
    assert differences(*reports, ordered=True) == {}


def test_exec_pause_update_and_stop(running: Peer) -> None:
    assert seen_by_exec(running) == ["5", "b", "/tmp"]
    assert running.run("exec", "one", "sh", "-c", "exit 7").returncode == 7
    for program, said in (("nothing", b"executable file not found in $PATH"), ("/etc", b"permission denied")):
        done = running.run("exec", "one", program)
        assert (done.returncode, said in done.stdout + done.stderr) == (126, True)
    assert "no such file or directory" in running.run("exec", "-w", "/no", "one", "ls").stdout.decode()
    running("exec", "-d", "one", "sleep", "77")
    assert "sleep 77" in running("top", "one")
    running("pause", "one")
    assert state(running, "one").startswith("paused")
    running("unpause", "one")
    running("update", "-m", "64m", "--memory-swap", "64m", "--cpus", "0.5", "--pids-limit", "50", "one")
    files = ("memory/memory.limit_in_bytes", "cpu/cpu.cfs_quota_us", "pids/pids.max")
    shown = running("exec", "one", "cat", *(f"/sys/fs/cgroup/{file}" for file in files))
    assert shown.split() == [str(64 << 20), "50000", "50"]
    assert running("stats", "--no-stream", "--format", "{{.Name}}", "one") == "one\n"
    running("stop", "one")
    assert (state(running, "one"), running("logs", "one")) == ("exited 3 0", "up\nusr\n")
    running("start", "one")
    running("kill", "-s", "KILL", "one")
    assert running("wait", "one") == "137\n"


@pytest.mark.parametrize("program", ["nothing", "/etc", "/etc/passwd", "/nothing"])
def test_a_program_that_can_not_run_is_reported_as_by_runc(docker: Peer, program: str) -> None:
    def tried(runtime: str) -> tuple[int, str]:
        done = docker.run("run", "--rm", "--runtime", runtime, *OURS[2:], "busybox", program)
        return done.returncode, done.stderr.decode().rpartition("exec: ")[2]

    assert tried("jubako") == tried("runc")


def test_restart_policies_and_health(docker: Peer) -> None:
    docker("run", "-d", "--name", "again", "--restart", "on-failure:2", *OURS, "busybox", "sh", "-c", "exit 4")
    health = ["--health-cmd", "test -e /ok", "--health-interval", "200ms", "--health-retries", "1"]
    docker("run", "-d", "--name", "well", *health, *OURS, "busybox", "sleep", "100")
    await_state(docker, "again", "exited 4 2")
    for wanted in ("unhealthy", "healthy"):
        deadline = time.monotonic() + 20
        while docker("inspect", "--format", "{{.State.Health.Status}}", "well").strip() != wanted:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        docker("exec", "well", "touch", "/ok")
    docker("rm", "-f", "again", "well")


def test_what_runs_out_of_memory_is_told_of_as_by_runc(docker: Peer) -> None:
    def told(runtime: str) -> tuple[int, str, list[str]]:
        began = time.time()
        eat = "x=a; while :; do x=$x$x; done"
        arguments = ["--runtime", runtime, *OURS[2:], "--name", "greedy", "-m", "16m"]
        code = docker.run("run", *arguments, "busybox", "sh", "-c", eat).returncode
        killed = docker("inspect", "--format", "{{.State.OOMKilled}}", "greedy")
        span = ["--since", f"{began:.3f}", "--until", f"{time.time():.3f}", "--filter", "container=greedy"]
        events = docker("events", *span, "--format", "{{.Action}}").split()
        docker("rm", "greedy")
        return code, killed, sorted(events)

    assert told("jubako") == told("runc")


def test_volumes_seccomp_and_copies(docker: Peer, tmp_path: Path) -> None:
    def sh(script: str, *options: str) -> str:
        return docker("run", "--rm", *OURS, *options, "busybox", "sh", "-c", script)

    (tmp_path / "file").write_text("text")
    assert sh("cat /mnt/file; touch /mnt/x || echo ro", "-v", f"{tmp_path}:/mnt:ro") == "textro\n"
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    assert sh("mkdir /x || echo no", "--security-opt", f"seccomp={tmp_path}/profile.json") == "no\n"
    assert sh("ps -o comm | grep -c init", "--init") == "1\n"
    assert int(sh("ls -d /proc/[0-9]* | wc -l", "--pid", "host")) > 3
    assert sh("mount -t tmpfs none /tmp && echo mounted", "--privileged") == "mounted\n"


def test_terminals_of_exec_and_attach(docker: Peer) -> None:
    docker("run", "-dit", "--name", "seat", *OURS, "busybox", "sh")
    # The size comes after the start, as with runc; until then stty has none to show.
    size = 'while size=$(stty size 2>/dev/null); [ -z "$size" ]; do :; done; echo $size; tty'
    line = f"stty rows 33 cols 77; {' '.join(docker.argv)} exec -it seat sh -c '{size}'"
    done = subprocess.run(["script", "-qec", line, "/dev/null"], stdin=subprocess.DEVNULL, capture_output=True)
    assert done.stdout.replace(b"^@", b"").split()[-3:] == [b"33", b"77", b"/dev/pts/1"]
    line = f"{' '.join(docker.argv)} attach seat"
    done = subprocess.run(["script", "-qec", line, "/dev/null"], input=b"echo $((40+2)); exit 5\n", capture_output=True)
    assert (done.returncode, b"42" in done.stdout) == (5, True)
    docker("rm", "-f", "seat")
