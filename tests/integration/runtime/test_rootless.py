"""`jubako-oci` as an ordinary user: with ranges of ids, with its own id alone, and as root of a user namespace."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ... import ordinary

pytestmark = pytest.mark.root

COMMAND = Path(sys.executable).parent / "jubako-oci"
SUBORDINATE = f"{ordinary.UID}:700000:65536\n"
RANGES = [
    {"containerID": 0, "hostID": ordinary.UID, "size": 1},
    {"containerID": 1, "hostID": 700000, "size": 65536},
]


class User:
    """An ordinary user with a bundle; `wrapper` is what its commands run in."""

    def __init__(self, base: Path, image: Path, wrapper: tuple[str, ...] = ()) -> None:
        self.base, self.bundle, self.wrapper = base, base / "bundle", wrapper
        known = f"{ordinary.NAME}:x:{ordinary.UID}:{ordinary.UID}::/:/bin/sh\n"
        self.etc = {"subuid": SUBORDINATE, "subgid": SUBORDINATE, "passwd": Path("/etc/passwd").read_text() + known}
        self.bundle.mkdir()
        (self.bundle / "rootfs").symlink_to(image)
        for path in (base, self.bundle):
            os.chown(path, ordinary.UID, ordinary.UID)
        for path in (*base.parents[:-2], *image.parents[:-2]):
            path.chmod(path.stat().st_mode | 0o011)
        assert self("spec", "--rootless", "-b", str(self.bundle)).returncode == 0
        self.process(args=["sleep", "100"])

    def argv(self, *arguments: str) -> list[str]:
        runtime = [str(COMMAND), "--root", str(self.base / "state"), *arguments]
        return ordinary.command([*self.wrapper, *runtime], self.etc, base=self.base)

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Output goes to a file: a container that is left running would hold a pipe open."""
        with (self.base / "output").open("w+") as output:
            done = subprocess.run(
                self.argv(*arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=60,
                check=False,
                env={**os.environ, "JUBAKO_KEEPER": "0"},
            )
        return subprocess.CompletedProcess(done.args, done.returncode, (self.base / "output").read_text())

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        self.process(args=["sh", "-c", script])
        return self("run", "-b", str(self.bundle), "one")

    def succeeds(self, *arguments: str) -> str:
        done = self(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def change(self, edit: Any) -> None:
        path = self.bundle / "config.json"
        config = json.loads(path.read_text())
        edit(config)
        path.write_text(json.dumps(config))

    def process(self, **fields: object) -> None:
        base = {"terminal": False, "env": ["PATH=/bin"], **fields}
        self.change(lambda config: config["process"].update(base))

    def linux(self, **fields: object) -> None:
        self.change(lambda config: config["linux"].update(fields))


@pytest.fixture(params=["single id", "ranges", "root of a user namespace"])
def user(request: pytest.FixtureRequest, tmp_path: Path, image: Path) -> Iterator[User]:
    wrapper = ("unshare", "-r") if request.param == "root of a user namespace" else ()
    made = User(tmp_path, image, wrapper)
    if request.param == "ranges":
        made.linux(uidMappings=RANGES, gidMappings=RANGES)
    yield made
    made("delete", "--force", "one")


@pytest.fixture
def single(tmp_path: Path, image: Path) -> Iterator[User]:
    made = User(tmp_path, image)
    yield made
    made("delete", "--force", "one")


def test_run_gives_output_and_code(user: User) -> None:
    done = user.run("id -u; hostname; echo x > /dev/null; cat /proc/sys/kernel/hostname; exit 3")
    assert (done.returncode, done.stdout.split()) == (3, ["0", "jubako", "jubako"])
    assert os.listdir(user.base / "state") == []


def test_the_life_of_a_container(user: User) -> None:
    user.succeeds("create", "-b", str(user.bundle), "one")
    state = json.loads(user.succeeds("state", "one"))
    assert state["status"] == "created"
    assert os.stat(f"/proc/{state['pid']}").st_uid == ordinary.UID
    user.succeeds("start", "one")
    assert json.loads(user.succeeds("state", "one"))["status"] == "running"
    assert "running" in user.succeeds("list")
    if not user.wrapper:  # each call has a namespace of its own there, and may not join another's
        assert user.succeeds("exec", "one", "sh", "-c", "id -u; hostname").split() == ["0", "jubako"]
        assert user("exec", "one", "sh", "-c", "exit 7").returncode == 7
    user.succeeds("kill", "one", "KILL")
    deadline = time.monotonic() + 5
    while json.loads(user.succeeds("state", "one"))["status"] != "stopped" and time.monotonic() < deadline:
        time.sleep(0.02)
    user.succeeds("delete", "one")
    assert "does not exist" in user("state", "one").stdout


def test_a_terminal_is_the_containers(user: User) -> None:
    user.process(args=["sh", "-c", "tty; stty size"], terminal=True)
    master, slave = pty.openpty()
    command = subprocess.Popen(
        user.argv("run", "-b", str(user.bundle), "one"), stdin=slave, stdout=slave, stderr=slave, close_fds=True
    )
    os.close(slave)
    output = b""
    try:
        while data := os.read(master, 4096):
            output += data
    except OSError:  # how a terminal says that its other side is closed
        pass
    os.close(master)
    assert command.wait(30) == 0, output
    assert b"/dev/pts/0" in output


def test_ranges_are_all_there_and_owned_outside(tmp_path: Path, image: Path) -> None:
    user = User(tmp_path, image)
    user.linux(uidMappings=RANGES, gidMappings=RANGES)
    (tmp_path / "shared").mkdir()
    os.chown(tmp_path / "shared", ordinary.UID, ordinary.UID)
    mount = {"destination": "/tmp", "type": "bind", "source": str(tmp_path / "shared"), "options": ["rbind"]}
    user.change(lambda config: config["mounts"].append(mount))
    names = ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID"]
    user.process(capabilities=dict.fromkeys(("bounding", "effective", "permitted"), names))
    done = user.run("touch /tmp/root /tmp/five && chown 5:6 /tmp/five && stat -c %u:%g /tmp/five")
    assert done.stdout == "5:6\n"
    five = os.stat(tmp_path / "shared" / "five")
    assert (five.st_uid, five.st_gid) == (700004, 700005)
    assert os.stat(tmp_path / "shared" / "root").st_uid == ordinary.UID


def test_ranges_that_are_not_its_own_are_refused(single: User) -> None:
    stranger = [{"containerID": 0, "hostID": ordinary.UID, "size": 1}, {"containerID": 1, "hostID": 1, "size": 10}]
    single.linux(uidMappings=stranger, gidMappings=stranger)
    done = single.run("true")
    assert done.returncode == 1
    assert "newuidmap failed" in done.stdout
    assert os.listdir(single.base / "state") == []


def test_another_user_than_the_one_mapped_is_refused(single: User) -> None:
    single.process(args=["true"], user={"uid": 1000, "gid": 0})
    done = single("run", "-b", str(single.bundle), "one")
    assert done.returncode == 1
    assert "failed to change user" in done.stdout


def test_without_a_user_namespace_it_is_told(single: User) -> None:
    single.linux(namespaces=[{"type": kind} for kind in ("mount", "pid", "uts")], uidMappings=[], gidMappings=[])
    done = single.run("true")
    assert done.returncode == 1
    assert "failed to make namespaces and the first process: operation not permitted" in done.stdout
    assert os.listdir(single.base / "state") == []


def test_a_device_of_the_hosts_is_bound_and_no_new_one_is_made(single: User) -> None:
    single.linux(devices=[{"type": "c", "path": "/dev/there", "major": 1, "minor": 3}])
    done = single.run("true")
    assert done.returncode == 1
    assert "failed to bind the device /dev/there: no such file or directory" in done.stdout
    single.linux(devices=[{"type": "c", "path": "/dev/full", "major": 1, "minor": 9}])
    done = single.run("true")
    assert "failed to bind the device /dev/full: no such device" in done.stdout


@pytest.mark.parametrize(
    ("name", "limit"), [("memory", {"limit": 1 << 26}), ("cpu", {"shares": 512}), ("pids", {"limit": -1})]
)
def test_a_limit_that_can_not_be_set_is_told(single: User, name: str, limit: dict[str, int]) -> None:
    single.linux(resources={name: limit})
    done = single.run("true")
    assert done.returncode == 1
    assert f"cannot set {name} limit: container could not join or create cgroup" in done.stdout
    assert not (single.base / "state").exists()


def test_limits_that_say_nothing_and_device_rules_need_no_group(single: User) -> None:
    devices = [{"allow": False, "access": "rwm"}]
    single.linux(resources={"devices": devices, "memory": {"limit": 0}, "pids": {"limit": 0}, "cpu": {}})
    assert single.run("true").returncode == 0


def test_cve_2023_25809_the_hosts_groups_can_not_be_written(user: User) -> None:
    done = user.run("find /sys/fs/cgroup -name cgroup.procs -o -name tasks -o -name release_agent | while read -r f; do"
                    " echo 0 2>/dev/null > $f && echo wrote $f; done; echo end")  # fmt: skip
    assert [line for line in done.stdout.splitlines() if "wrote" in line or line == "end"] == ["end"]
