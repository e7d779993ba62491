"""`jubako-oci` against those who share a directory, a mount or a number with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .oci import Oci

pytestmark = pytest.mark.root
STRANGER = 64321


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"scheduler": {"policy": "SCHED_OTHER", "nice": (1 << 32) + 5}}, "$.process.scheduler.nice"),
        ({"scheduler": {"policy": "SCHED_FIFO", "priority": (1 << 32) + 1}}, "$.process.scheduler.priority"),
        ({"scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1 << 63}}, "scheduler: a number is out of range"),
    ],
)
def test_a_number_out_of_range_is_not_cut_down_to_another(oci: Oci, part: dict[str, Any], said: str) -> None:
    oci.configure("true", **part)
    done = oci("run", "-b", str(oci.bundle), "one")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_limits_and_clocks_out_of_range_are_refused(oci: Oci) -> None:
    oci.resources(memory={"limit": 1 << 64})
    assert "$.linux.resources.memory.limit" in oci("run", "-b", str(oci.bundle), "one").stderr
    oci.linux(resources={}, timeOffsets={"monotonic": {"secs": 1 << 70}})
    assert "$.linux.timeOffsets" in oci("run", "-b", str(oci.bundle), "one").stderr


@pytest.mark.parametrize("kind", ["startContainer", "poststart"])
@pytest.mark.parametrize("timeout", [4294968, 1 << 70])
def test_a_hook_has_time_enough_however_much_it_is_given(oci: Oci, kind: str, timeout: int) -> None:
    oci.configure("true")
    oci.hook(kind, "true", timeout=timeout)
    oci.run()


def test_cve_2016_9962_what_waits_for_its_start_has_nothing_open_of_the_hosts(oci: Oci) -> None:
    """An exec may come before, and opens through /proc/1/fd what is open there when it may trace."""
    oci.configure("sleep", "60", capabilities=None)
    oci.hook("startContainer", "true")
    oci.create("one")
    pid = json.loads(oci("state", "one").stdout)["pid"]
    opened = {fd.name: os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    held = {name: to for name, to in opened.items() if name not in ("0", "1", "2")}
    assert all(to.startswith(("socket:", "/memfd:state")) for to in held.values()), held
    shown = oci("exec", "one", "sh", "-c", "for fd in /proc/1/fd/*; do test -d $fd && echo $fd; done; echo end")
    assert shown.stdout == "end\n"
    assert oci("start", "one").returncode == 0


def test_what_is_at_the_pid_files_temporary_name_is_not_written_to(oci: Oci, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / ".pid").symlink_to(victim)
    oci.configure("true")
    oci.run("--pid-file", str(tmp_path / "pid"))
    assert victim.read_text() == "precious"
    assert (tmp_path / "pid").read_text().isdecimal()
    assert not (tmp_path / "pid").is_symlink()


def test_the_pid_file_of_an_exec_in_the_foreground_names_its_program(oci: Oci, tmp_path: Path) -> None:
    oci.configure("sleep", "60")
    oci.create("one")
    assert oci("start", "one").returncode == 0
    with subprocess.Popen(
        oci.command("exec", "--pid-file", str(tmp_path / "pid"), "one", "cat"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as command:
        assert command.stdin
        assert command.stdout
        command.stdin.write(b"x")
        command.stdin.flush()
        assert command.stdout.read(1) == b"x"
        while not (tmp_path / "pid").exists():
            assert command.poll() is None
        pid = (tmp_path / "pid").read_text()
        assert Path(f"/proc/{pid}/cmdline").read_bytes() == b"cat\0"
    assert oci("delete", "-f", "one").returncode == 0


def mounts_after(oci: Oci, volume: Path) -> str:
    """The mounts of a host that shares its own, among them a volume with another in it, when a container has run."""
    script = (
        f"mkdir {volume}; mount -t tmpfs outer {volume}; mkdir {volume}/inner; mount --make-rshared /; "
        f"mount -t tmpfs inner {volume}/inner; {' '.join(oci.command('run', '-b', str(oci.bundle), 'one'))} && "
        "cut -d ' ' -f 4- /proc/self/mountinfo"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "tmpfs inner" in done.stdout
    return done.stdout


@pytest.mark.parametrize("option", ["rbind", "private"])
def test_mounts_of_a_user_namespace_do_not_reach_the_host(oci: Oci, tmp_path: Path, option: str) -> None:
    """Beneath a volume whose own mounts the host shares."""
    volume = tmp_path / "volume"
    ids = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    oci.edit(lambda config: config["linux"]["namespaces"].append({"type": "user"}))
    oci.linux(uidMappings=ids, gidMappings=ids)
    held = {kind: ["CAP_SYS_ADMIN"] for kind in ("bounding", "effective", "permitted")}
    oci.configure("mount", "-t", "tmpfs", "escaped", "/home/inner", capabilities=held)
    oci.mount(volume, "/home", "rbind", option)
    assert "escaped" not in mounts_after(oci, volume)


def test_a_shared_volume_alone_is_shared_with_the_host(oci: Oci, image: Path, tmp_path: Path) -> None:
    """Not what masks a path: it is a clone of the host's null device."""
    root, volume = tmp_path / "root", tmp_path / "volume"
    shutil.copytree(image, root, symlinks=True)
    (root / "etc" / "masked").touch()
    oci.change(root={"path": str(root)})
    oci.linux(maskedPaths=["/etc/masked"])
    held = {kind: ["CAP_SYS_ADMIN"] for kind in ("bounding", "effective", "permitted")}
    script = "mount -t tmpfs wanted /home/inner; mount --bind /etc/passwd /etc/masked && mount -t tmpfs escaped /tmp"
    oci.configure("sh", "-c", script, capabilities=held)
    oci.mount(volume, "/home", "rbind", "rshared")
    mounts = mounts_after(oci, volume).splitlines()
    assert [line for line in mounts if "tmpfs wanted" in line]
    assert not [line for line in mounts if "escaped" in line or " /dev/null " in line]


AS_STRANGER = """
import os, sys
from jubako.runtime import oci_cli
from jubako.runtime.oci import listing
os.setresgid(*[int(sys.argv[1])] * 3)
os.setresuid(*[int(sys.argv[1])] * 3)
os.environ.pop("XDG_RUNTIME_DIR", None)
sys.exit(oci_cli.main(["list", "-q"]))
"""


def test_a_state_directory_that_somebody_else_made_is_not_used() -> None:
    """The configuration in it has hooks, which run as whoever deletes the container."""
    directory = Path(f"/tmp/jubako-oci-{STRANGER}")
    command = [sys.executable, "-c", AS_STRANGER, str(STRANGER)]
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o755)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, str(directory) in done.stderr) == (1, True), done.stderr
        os.chown(directory, STRANGER, STRANGER)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        directory.chmod(0o777)
        assert subprocess.run(command, capture_output=True, check=False).returncode == 1
    finally:
        directory.rmdir()


@pytest.mark.parametrize("number", ["abc", "-1", "4294967295", "9" * 5000])
def test_an_id_of_exec_that_is_none_is_refused(oci: Oci, number: str) -> None:
    oci.configure("sleep", "60")
    oci.create("one")
    for option in ("--additional-gids", "--user"):
        done = oci("exec", f"{option}={number}", "one", "true")
        assert done.returncode == 255
        assert f"invalid {option[2:]}: {number[:64]}" in done.stderr
    assert oci("delete", "-f", "one").returncode == 0


@pytest.mark.parametrize("option", [(), ("-d",)])
def test_no_process_of_an_exec_is_seen_with_more_privileges_than_the_container_has(
    oci: Oci, tmp_path: Path, option: tuple[str, ...]
) -> None:
    """CAP_SYS_PTRACE would do to take it over."""
    shared = tmp_path / "shared"
    shared.mkdir()
    watch = "while :; do cat /proc/[0-9]*/status 2>/dev/null | grep ^CapEff; done > /home/seen"
    oci.configure("sh", "-c", watch)
    oci.mount(shared, "/home", "bind")
    oci.create("one")
    assert oci("start", "one").returncode == 0
    for _ in range(25):
        assert oci("exec", *option, "one", "true").returncode == 0
    own = Path(f"/proc/{json.loads(oci('state', 'one').stdout)['pid']}/status").read_text()
    assert oci("delete", "-f", "one").returncode == 0
    held = next(line for line in own.splitlines() if line.startswith("CapEff"))
    assert set((shared / "seen").read_text().splitlines()[:-1]) == {held}
