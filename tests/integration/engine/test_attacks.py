"""Attacks from inside a container on what the engine does for it while it runs. The names tell which."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.root

BUSYBOX = ("--network", "none", "busybox")


def logged(jubako, name: str, wanted: str, timeout_s: float = 10) -> str:
    """What the container has printed once `wanted` is in it."""
    deadline = time.monotonic() + timeout_s
    while wanted not in (text := jubako("logs", name)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return text


def test_cve_2016_9962_an_exec_can_not_be_traced_for_more_than_the_container_has(jubako):
    """CAP_SYS_PTRACE opens the memory and the files of all that a container sees: so it must see nothing of ours."""
    script = (
        "echo watching; while :; do grep CapEff /proc/[0-9]*/status; ls -l /proc/[0-9]*/fd; done 2>/dev/null |"
        " grep -E 'CapEff|cgroup|containers' | grep -v a80c25fb"
    )
    jubako("run", "-d", "--name", "watcher", "--cap-add", "SYS_PTRACE", *BUSYBOX, "sh", "-c", script)
    logged(jubako, "watcher", "watching")
    for _ in range(12):
        jubako("exec", "watcher", "true")
    assert jubako("logs", "watcher") == "watching\n"


def test_an_execs_process_is_in_place_like_any_other(jubako):
    jubako("run", "-d", "--name", "one", "--oom-score-adj", "100", *BUSYBOX, "sleep", "60")
    script = "cat /proc/self/oom_score_adj; ls /proc/self/fd; ps -o pid,sid,args | grep [p]s; kill -9 $$"
    done = jubako.run("exec", "one", "sh", "-c", script)
    lines = done.stdout.decode().split("\n")
    assert lines[:5] == ["100", "0", "1", "2", "3"]
    pid, sid = lines[5].split()[:2]
    assert pid == sid != "0"
    assert done.returncode == 137


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A directory with the program of keys.c."""
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("needs gcc")
    directory = tmp_path_factory.mktemp("keys")
    source = Path(__file__).with_name("keys.c")
    subprocess.run([compiler, "-static", "-o", str(directory / "keys"), str(source)], check=True)
    return directory


def test_no_container_lives_in_the_session_keyring_of_another(jubako, keys):
    """A keyring with a name is joined by the next who asks for one of that name, where its owner permits it."""
    free = ("--security-opt", "seccomp=unconfined", "-v", f"{keys}:/keys:ro", *BUSYBOX)
    jubako("run", "-d", "--name", "owner", *free, "/keys/keys", "share")
    assert logged(jubako, "owner", "shared") == "shared\n"
    assert jubako.run("run", "--rm", *free, "/keys/keys", "seek").returncode == 0
    assert jubako.run("exec", "owner", "/keys/keys", "seek").returncode == 0


def test_diff_of_a_tree_that_is_deeper_than_a_path_can_be_long(jubako):
    script = "touch /bin/new; rm /bin/ls; for i in $(seq 2100); do mkdir d; cd d; done; echo made; sleep 60"
    jubako("run", "-d", "--name", "deep", "-v", "/etc/volume", *BUSYBOX, "sh", "-c", script)
    logged(jubako, "deep", "made")
    lines = jubako("diff", "deep").splitlines()
    assert [line for line in lines if "/d" not in line] == ["C /bin", "D /bin/ls", "A /bin/new"]
    assert lines.count("A /d/d") == 1
    assert len(lines) > 1000
    jubako("rm", "-f", "-v", "deep")


def test_cve_2021_41091_nobody_else_reaches_the_state_even_in_a_directory_that_is_open_to_all(state, tmp_path):
    """A program with the set-user-ID bit in an image is for the container alone, secrets in the records for root."""
    root = tmp_path / "open"
    root.mkdir(mode=0o755)
    cli = type(state)(root, tmp_path / "run")
    cli("image", "bootstrap", "busybox")
    cli("create", "--name", "one", "-v", "data:/data", "-e", "SECRET=x", "busybox")
    private = {"layers", "snapshots", "volumes", "blobs", "ingest", "leases", "jubako.db"}
    modes = {path.name: path.stat().st_mode & 0o077 for path in root.iterdir()}
    assert {name for name, mode in modes.items() if mode == 0} >= private
    assert all(not path.stat().st_mode & 0o007 for path in (root / "containers").iterdir())
    cli("rm", "-v", "one")


def test_a_container_starts_with_no_signal_ignored(jubako):
    jubako("run", "-d", "--name", "one", *BUSYBOX, "sleep", "60")
    for call in (("run", "--rm", *BUSYBOX), ("exec", "one")):
        ignored = int(jubako(*call, "grep", "SigIgn", "/proc/self/status").split()[1], 16)
        assert not ignored & 0x7FFFFFFF


def test_cve_2022_23648_a_volume_of_an_image_takes_nothing_of_the_hosts(jubako, tmp_path):
    """What a VOLUME is filled with is looked up in the image, whatever links the image has on the way."""
    (tmp_path / "secret").write_text("host only")
    (tmp_path / "Dockerfile").write_text(
        f"FROM busybox\nRUN ln -s ../../../../../../../..{tmp_path} /data && ln -s {tmp_path} /other\n"
        "VOLUME /data /other\n"
    )
    jubako("build", "-q", "-t", "hostile", str(tmp_path))
    done = jubako.run("run", "--rm", "--network", "none", "hostile", "sh", "-c", "cat /data/* /other/* 2>/dev/null")
    jubako("rmi", "-f", "hostile")
    assert b"host only" not in done.stdout


def test_cve_2022_23648_a_working_directory_of_an_image_is_not_made_outside(jubako, tmp_path):
    (tmp_path / "victim").mkdir()
    (tmp_path / "Dockerfile").write_text(
        f"FROM busybox\nRUN ln -s ../../../../../../../..{tmp_path}/victim /link\nWORKDIR /link/made\n"
    )
    jubako("build", "-q", "-t", "hostile", str(tmp_path))
    jubako.run("run", "--rm", "--network", "none", "hostile", "true")
    jubako("rmi", "-f", "hostile")
    assert list((tmp_path / "victim").iterdir()) == []


def test_cve_2019_14271_cp_neither_enters_the_container_nor_loads_what_lies_in_it(jubako, tmp_path):
    """docker-tar looked names up after chroot(2), by the libnss_files.so of the container."""
    tracer = shutil.which("strace")
    if not tracer:
        pytest.skip("needs strace")
    jubako("run", "-d", "--name", "one", *BUSYBOX, "sh", "-c", "mkdir -p /lib /etc; touch /made; sleep 60")
    trace = tmp_path / "trace"
    follow = [tracer, "-f", "-o", str(trace), "-e", "trace=chroot,pivot_root,setns,unshare,execve,openat,openat2,open"]
    copy = [*follow, *jubako.argv, "cp", "one:/bin", str(tmp_path / "copied")]
    subprocess.run(copy, env={**jubako.env, "JUBAKO_KEEPER": "0"}, check=True, timeout=120)
    calls = [line.split(maxsplit=1)[1] for line in trace.read_text().splitlines()]
    assert any(call.startswith(("openat", "open(")) for call in calls)
    assert not [call for call in calls if call.startswith(("chroot", "pivot_root", "setns"))]
    assert not [call for call in calls if "libnss" in call and str(jubako.root) in call]
