"""checkpoint and restore, through criu: what goes on, what the bundle decides, and what is refused."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from .oci import Oci

COUNTING = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"
SUBREAPER = """
import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL, check=True)
pid = open(sys.argv[1]).read()
print(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1], os.getpid())
os.kill(int(pid), 9)
"""


@pytest.fixture(scope="session")
def criu() -> None:
    """What it can do is the kernel's matter: each version knows those that were there before it."""
    if not shutil.which("criu"):
        pytest.skip("criu is not installed")
    done = subprocess.run(["criu", "check"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"criu can not work on this kernel: {done.stderr.strip()[-200:]}")


class Saved:
    """A bundle whose container counts, and its checkpoints."""

    def __init__(self, oci: Oci, base: Path) -> None:
        self.oci, self.images = oci, base / "images"
        self.streams: list[IO[str]] = []
        oci.configure("sh", "-c", COUNTING)

    def begin(self, *words: str) -> IO[str]:
        """What the container writes: to a pipe, since criu can save no file that lies outside of the container."""
        reader, writer = os.pipe()
        self.streams.append(os.fdopen(reader))
        command = self.oci.command(words[0], "-d", "-b", str(self.oci.bundle), *words[1:])
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, timeout=60, check=False)
        os.close(writer)
        assert done.returncode == 0, self.streams[-1].read()
        return self.streams[-1]

    def run(self) -> IO[str]:
        self.oci.linux(cgroupsPath=f"test-{os.getpid()}-one")
        stream = self.begin("run", "one")
        assert next_line(stream) == "1"
        return stream

    def checkpoint(self, *options: str) -> None:
        done = self.oci("checkpoint", "--image-path", str(self.images), *options, "one")
        assert done.returncode == 0, done.stderr

    def restore(self, *options: str) -> IO[str]:
        return self.begin("restore", "--image-path", str(self.images), *options, "one")

    def refused(self, *options: str) -> str:
        done = self.oci("restore", "-d", "-b", str(self.oci.bundle), "--image-path", str(self.images), *options, "one")
        assert done.returncode == 1
        assert self.oci("state", "one").returncode == 1
        return done.stderr

    def pid(self) -> int:
        return int(json.loads(self.oci("state", "one").stdout)["pid"])


@pytest.fixture
def saved(criu: None, oci: Oci, tmp_path: Path) -> Iterator[Saved]:
    made = Saved(oci, tmp_path)
    yield made
    oci("delete", "--force", "one")
    for stream in made.streams:
        stream.close()


def next_line(stream: IO[str]) -> str:
    assert select.select([stream], [], [], 20)[0], "nothing is written"
    return stream.readline().strip()


def test_a_restored_container_goes_on_where_it_was(saved: Saved) -> None:
    before = saved.run()
    saved.checkpoint()
    assert saved.oci("state", "one").returncode == 1  # it is deleted, as runc does
    last = before.read().split()[-1]
    assert next_line(saved.restore()) == str(int(last) + 1)
    assert saved.oci.status("one") == "running"
    assert saved.oci("exec", "one", "echo", "there").stdout == "there\n"
    assert saved.oci("kill", "one", "KILL").returncode == 0
    saved.oci.wait_for("one", "stopped")
    assert saved.oci("delete", "one").returncode == 0


def test_what_holds_for_the_container_holds_for_the_restored_one(saved: Saved, tmp_path: Path) -> None:
    """Its mounts with their attributes, its masks, its limits and its group."""
    (tmp_path / "bound").mkdir()
    (tmp_path / "bound/file").write_text("bound\n")
    saved.oci.mount(tmp_path / "bound", "/tmp", "rbind", "ro")
    saved.oci.mount(tmp_path / "bound/file", "/home/file", "bind")
    saved.oci.resources(pids={"limit": 77})
    saved.run()
    look = ("exec", "one", "sh", "-c", "sort -k5 /proc/1/mountinfo | cut -d' ' -f4-6; cat /proc/1/cgroup /home/file")
    before = saved.oci(*look).stdout
    saved.checkpoint()
    saved.restore()
    assert saved.oci(*look).stdout == before
    assert saved.oci.setting("one", "pids.max") == "77"
    assert "Read-only" in saved.oci("exec", "one", "touch", "/new").stderr
    assert saved.oci("exec", "one", "cat", "/proc/keys").stdout == ""
    assert sorted(os.listdir(saved.oci.base / "state" / "one")) == ["config.json", "state.json"]


def test_with_leave_running_it_runs_on(saved: Saved) -> None:
    stream = saved.run()
    saved.checkpoint("--leave-running")
    assert saved.oci.status("one") == "running"
    first = int(next_line(stream))
    assert next_line(stream) == str(first + 1)


def test_a_paused_container_can_be_saved(saved: Saved) -> None:
    before = saved.run()
    assert saved.oci("pause", "one").returncode == 0
    saved.checkpoint("--leave-running")
    assert saved.oci.status("one") == "paused"
    saved.checkpoint()
    last = before.read().split()[-1]
    assert next_line(saved.restore()) == str(int(last) + 1)


def test_hooks_run_at_checkpoint_and_restore(saved: Saved, tmp_path: Path) -> None:
    for kind in ("createRuntime", "poststop"):
        saved.oci.hook(kind, f"cat > {tmp_path}/{kind}")
    saved.run()
    saved.checkpoint()
    assert json.loads((tmp_path / "poststop").read_text())["status"] == "stopped"
    (tmp_path / "createRuntime").unlink()
    saved.restore()
    state = json.loads((tmp_path / "createRuntime").read_text())
    assert (state["id"], state["pid"]) == ("one", saved.pid())


def test_a_hook_that_fails_leaves_nothing(saved: Saved) -> None:
    saved.run()
    saved.checkpoint()
    saved.oci.hook("createRuntime", "echo no >&2; exit 3")
    assert "exit status 3: no" in saved.refused()
    assert saved.oci.setting("one", "pids.max") == ""


def test_in_the_foreground_restore_ends_with_the_programs_code(saved: Saved) -> None:
    saved.oci.configure("sh", "-c", "echo 1; read x; echo got $x; exit 7")
    ours, theirs = os.pipe()
    reader, writer = os.pipe()
    command = saved.oci.command("run", "-d", "-b", str(saved.oci.bundle), "one")
    subprocess.run(command, stdin=ours, stdout=writer, stderr=writer, timeout=60, check=True)
    saved.checkpoint()
    command = saved.oci.command("restore", "-b", str(saved.oci.bundle), "--image-path", str(saved.images), "one")
    done = subprocess.run(command, input="word\n", capture_output=True, text=True, timeout=60, check=False)
    for fd in (ours, theirs, reader, writer):
        os.close(fd)
    assert (done.returncode, done.stdout) == (7, "got word\n"), done.stderr
    assert saved.oci("state", "one").returncode == 1


def test_a_terminal_goes_to_the_console_socket(saved: Saved, tmp_path: Path) -> None:
    saved.oci.configure("sh", "-c", "while read x; do echo got $x; done", terminal=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "console"))
        listener.listen()
        command = ("-d", "-b", str(saved.oci.bundle), "--console-socket", str(tmp_path / "console"))
        assert saved.oci("run", *command, "one").returncode == 0
        with master(listener):  # it holds the terminal until the container is gone
            saved.checkpoint()
        done = saved.oci("restore", *command, "--image-path", str(saved.images), "one")
        assert done.returncode == 0, done.stderr
        with master(listener) as terminal:
            terminal.write(b"word\n")
            assert terminal.readline() + terminal.readline() == b"word\r\ngot word\r\n"


def master(listener: socket.socket) -> IO[bytes]:
    connection, _ = listener.accept()
    with connection:
        _, fds, _, _ = socket.recv_fds(connection, 4096, 1)
    return open(fds[0], "r+b", buffering=0)


def test_a_restored_container_descends_from_the_caller(saved: Saved, tmp_path: Path) -> None:
    saved.run()
    saved.checkpoint()
    words = ["restore", "-d", "-b", str(saved.oci.bundle), "--image-path", str(saved.images)]
    command = saved.oci.command(*words, "--pid-file", str(tmp_path / "pid"), "one")
    done = subprocess.run(
        [sys.executable, "-c", SUBREAPER, str(tmp_path / "pid"), *command],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    parent, subreaper = done.stdout.splitlines()[-1].split()
    assert parent == subreaper


def test_the_images_do_not_say_what_is_bound(saved: Saved, tmp_path: Path) -> None:
    """A bundle without that mount has nothing for its place: the restore fails, and no path of the host is reached."""
    (tmp_path / "bound").mkdir()
    saved.oci.mount(tmp_path / "bound", "/tmp")
    saved.run()
    saved.checkpoint()
    saved.oci.edit(lambda config: config["mounts"].pop())
    assert "criu failed: type RESTORE" in saved.refused()


@pytest.mark.parametrize("text", ["{}", "[1]", "", '["pipe:[1]"'])
def test_descriptors_that_are_none_are_refused(saved: Saved, text: str) -> None:
    saved.images.mkdir(mode=0o700)
    (saved.images / "descriptors.json").write_text(text)
    assert "descriptors.json" in saved.refused()


def test_a_directory_that_others_can_write_is_refused(saved: Saved, tmp_path: Path) -> None:
    assert "no such directory" in saved.refused()
    saved.images.mkdir(mode=0o700)
    assert "this is no checkpoint" in saved.refused()
    (saved.images / "descriptors.json").symlink_to("/etc/passwd")
    assert "descriptors.json" in saved.refused()
    saved.images.chmod(0o777)
    assert "others could change this checkpoint" in saved.refused()


def test_what_runc_refuses_is_refused(saved: Saved) -> None:
    saved.oci.configure("sleep", "100")
    saved.oci.create("one")
    assert "Container cannot be checkpointed in created state" in saved.oci("checkpoint", "one").stderr
    assert saved.oci("start", "one").returncode == 0
    for option, said in (
        (("--parent-path", "/images"), "--parent-path must be relative"),
        (("--parent-path", "images"), "invalid --parent-path"),
        (("--page-server", "here"), "Use --page-server ADDRESS:PORT"),
        (("--manage-cgroups-mode", "some"), "Invalid manage cgroups mode"),
        (("--empty-ns", "ipc"), 'namespace "ipc" is not supported'),
        (("--status-fd", "99"), "invalid --status-fd argument 99"),
    ):
        done = saved.oci("checkpoint", "--image-path", str(saved.images), *option, "one")
        assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert saved.oci.status("one") == "running"


def test_an_option_that_is_not_supported_is_refused_by_name(saved: Saved) -> None:
    assert "--lsm-mount-context is not supported" in saved.refused("--lsm-mount-context", "some")


def test_only_what_changed_since_a_pre_dump_is_saved(saved: Saved) -> None:
    before = saved.run()
    if subprocess.run(["criu", "check", "--feature", "mem_dirty_track"], capture_output=True, check=False).returncode:
        said = saved.oci("checkpoint", "--pre-dump", "--image-path", str(saved.images), "one").stderr
        assert "CRIU is missing features: --pre-dump" in said
        return
    early = saved.images.parent / "early"
    assert saved.oci("checkpoint", "--pre-dump", "--image-path", str(early), "one").returncode == 0
    assert saved.oci.status("one") == "running"
    saved.checkpoint("--parent-path", "../early")
    assert (saved.images / "parent").resolve() == early
    last = before.read().split()[-1]
    assert next_line(saved.restore()) == str(int(last) + 1)


def test_the_images_can_not_give_more_than_the_bundle(saved: Saved) -> None:
    names = {kind: ["CAP_KILL", "CAP_SYS_ADMIN"] for kind in ("bounding", "permitted", "effective")}
    saved.oci.edit(lambda config: config["process"].update(capabilities=names, noNewPrivileges=False))
    saved.run()
    saved.checkpoint()
    fewer = {kind: ["CAP_KILL"] for kind in names}
    saved.oci.edit(lambda config: config["process"].update(capabilities=fewer))
    assert "capabilities that the bundle does not give" in saved.refused()
    saved.oci.edit(lambda config: config["process"].update(capabilities=names, noNewPrivileges=True))
    assert "no_new_privs" in saved.refused()
    assert saved.oci.setting("one", "pids.max") == ""


def test_images_of_the_hosts_network_are_not_restored_into_a_bundle_that_has_its_own(saved: Saved) -> None:
    namespaces = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup")]
    saved.oci.linux(namespaces=namespaces)
    saved.run()
    saved.checkpoint()
    saved.oci.linux(namespaces=[*namespaces, {"type": "network"}])
    assert "host's network namespace" in saved.refused()
    saved.oci.linux(namespaces=namespaces)
    saved.restore()


def test_a_container_with_a_user_namespace(saved: Saved, tmp_path: Path, image: Path) -> None:
    root = saved.oci.bundle / "rootfs"
    root.unlink()
    shutil.copytree(image, root, symlinks=True)
    for directory in (tmp_path, *tmp_path.parents[:2], saved.oci.bundle):
        directory.chmod(directory.stat().st_mode | 0o011)
    namespaces = [{"type": kind} for kind in ("user", "pid", "ipc", "uts", "mount", "cgroup", "network")]
    ids = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    saved.oci.linux(namespaces=namespaces, uidMappings=ids, gidMappings=ids)
    before = saved.run()
    saved.checkpoint()
    last = before.read().split()[-1]
    assert next_line(saved.restore()) == str(int(last) + 1)
    assert saved.oci("exec", "one", "id", "-u").stdout == "0\n"
    assert "127.0.0.1" in saved.oci("exec", "one", "ip", "addr", "show", "lo").stdout
