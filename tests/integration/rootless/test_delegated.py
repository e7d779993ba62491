"""Containers of an ordinary user to whom root gave a group of cgroup v2, and whose systemd is not to be had."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from jubako.linux import cgroup
from jubako.linux.cgroup.files import enable, pids_of, remove_tree

from ... import ordinary
from .conftest import BUSYBOX, User, until

HIERARCHIES = cgroup.hierarchies()
ROOT = Path(HIERARCHIES.unified or "/sys/fs/cgroup")
GIVEN = ("memory", "cpu", "pids")

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(bool(HIERARCHIES.v1) or not HIERARCHIES.unified, reason="cgroup v2 is not all there is"),
]

FILES = "cd /sys/fs/cgroup; cat memory.max pids.max cpu.max"
IN_PLACE = 'echo $$ >"$0" && exec "$@"'


class Delegate(User):
    """Its commands are in `shell`, beneath the group that is the user's, or wherever `place` says."""

    def __init__(self, base: Path, group: Path) -> None:
        super().__init__(base)
        self.group = group
        self.place = group / "shell"

    def finished(self, argv: list[str], env: Mapping[str, str] | None) -> subprocess.CompletedProcess[str]:
        return super().finished(["sh", "-c", IN_PLACE, str(self.place / "cgroup.procs"), *argv], env)

    def said(self, script: str) -> str:
        done = self.shell(f"set -e\n{script}")
        assert done.returncode == 0, done.stdout
        return done.stdout

    def groups(self) -> list[str]:
        """Of containers."""
        return [path.name for path in self.group.glob("jubako/*") if path.is_dir()]


@pytest.fixture
def group() -> Iterator[Path]:
    made = ROOT / cgroup.PARENT / f"test-{os.getpid()}-user"
    (made / "shell").mkdir(parents=True)
    enable(str(made), GIVEN, levels=2)
    for directory in (made, made / "shell"):
        for path in (directory, directory / "cgroup.procs", directory / "cgroup.subtree_control"):
            os.chown(path, ordinary.UID, ordinary.UID)
    yield made
    remove_tree(str(made), None)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A group that is not the user's."""
    made = ROOT / cgroup.PARENT / f"test-{os.getpid()}-elsewhere"
    made.mkdir(parents=True)
    yield made
    until(lambda: not pids_of(str(made)), "processes are left")
    made.rmdir()


@pytest.fixture
def user(group: Path, elsewhere: Path) -> Iterator[Delegate]:
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o711)
        made = Delegate(Path(path), group)
        made("image", "bootstrap", "busybox")
        yield made
        made.place = group / "shell"
        made.shell("jubako ps -aq | xargs -r jubako rm -f; jubako system prune -af --volumes")
        shutil.rmtree(made.home, ignore_errors=True)
        assert made.groups() == []


def test_limits_are_there_and_no_group_is_left(user: Delegate) -> None:
    out = user.said(f"jubako run --rm --network none -m 64m --cpus 0.5 --pids-limit 20 busybox sh -c '{FILES}'")
    assert out.split() == [str(64 << 20), "20", "50000", "100000"]
    assert user.groups() == []


def test_the_verbs_that_need_a_group(user: Delegate) -> None:
    out = user.said(
        """jubako run -d --name box --network none -m 64m busybox sleep 100 >/dev/null
        jubako stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' box
        jubako exec box cat /proc/self/cgroup
        jubako pause box; jubako inspect -f '{{.State.Status}}' box; jubako unpause box
        jubako update -m 32m box; jubako exec box cat /sys/fs/cgroup/memory.max; jubako top box -eo pid,args
        jubako info | grep -o 'Driver: cgroupfs'; jubako doctor | grep limits"""
    ).splitlines()
    assert out[0].endswith("/ 64MiB 1")
    assert out[1:7] == ["0::/", "box", "paused", "box", "box", str(32 << 20)]
    assert out[8].endswith("sleep 100")
    assert out[9] == "Driver: cgroupfs"
    assert out[10].endswith(f"beneath /{user.group.relative_to(ROOT)}: cpu memory pids")


def test_who_has_no_memory_left_is_killed_and_it_is_said(user: Delegate) -> None:
    out = user.said(
        """jubako run --name box --network none -m 16m --memory-swap 16m busybox sh -c 'exec tail /dev/zero' || echo $?
        jubako inspect -f '{{.State.OOMKilled}}' box"""
    )
    assert out.split()[-2:] == ["137", "true"]


def test_a_controller_that_was_not_given_is_told(user: Delegate) -> None:
    out = user.said("jubako run --rm --network none --cpuset-cpus 0 -m 64m busybox cat /sys/fs/cgroup/memory.max")
    assert out.splitlines() == [
        "WARNING: the limits of CPU sets are not set: of the controllers this user has cpu memory pids",
        str(64 << 20),
    ]


def test_a_group_with_processes_is_left_alone_and_it_is_said(user: Delegate) -> None:
    (user.group / "cgroup.subtree_control").write_text("-memory -cpu -pids")
    user.place = user.group
    out = user.said("jubako run --rm --network none -m 64m busybox echo ran")
    path = f"/{user.group.relative_to(ROOT)}"
    assert out.splitlines() == [
        f"WARNING: the limits of memory are not set: the control group {path} is this user's, but has processes: "
        f"no limits beneath it (cd /sys/fs/cgroup{path} && mkdir shell && echo $$ >shell/cgroup.procs)",
        "ran",
    ]
    assert not (user.group / "jubako").exists()


def test_from_elsewhere_a_container_is_ended_but_nothing_put_into_it(user: Delegate, elsewhere: Path) -> None:
    """A shell that root brings elsewhere once the container runs: cgroups(7), delegation containment."""
    script = """jubako run -d --name box --network none busybox sleep 100; echo ready; read line
    jubako exec box true || echo no; jubako pause box; jubako unpause box; jubako rm -f box"""
    argv = ordinary.command(["sh", "-c", script], user.etc, base=user.base)
    argv = ["sh", "-c", IN_PLACE, str(user.place / "cgroup.procs"), *argv]
    with subprocess.Popen(
        argv, env=user.env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as shell:
        assert shell.stdout
        assert "ready\n" in [shell.stdout.readline() for _ in range(2)]
        (elsewhere / "cgroup.procs").write_text(str(shell.pid))
        out, _ = shell.communicate("\n", timeout=300)
    assert f"is in the control group /{elsewhere.relative_to(ROOT)}, from where nothing gets into" in out
    assert out.split()[-4:] == ["no", "box", "box", "box"]
    assert user.groups() == []


def test_a_killed_monitors_group_goes_with_the_next_command(user: Delegate) -> None:
    user.said("jubako run -d --name box --network none busybox sleep 100")
    (first,) = pids_of(str(user.group / "jubako"))
    os.kill(int(Path(f"/proc/{first}/stat").read_text().rpartition(")")[2].split()[1]), signal.SIGKILL)
    until(lambda: not Path(f"/proc/{first}").exists(), "the container lives on")
    assert "Exited (137)" in user.said("jubako ps -a")
    assert user.groups() == []


def test_a_container_that_was_started_elsewhere_keeps_to_its_place(user: Delegate, elsewhere: Path) -> None:
    """It has no group, and gets none by a command that could make one."""
    inside, user.place = user.place, elsewhere
    user.said("jubako run -d --name box --network none busybox sleep 100")
    user.place = inside
    out = user.said("! jubako pause box; jubako rm -f box")
    assert "a container can not be paused: it has no control group" in out


def test_jubako_oci_takes_the_group_as_well(user: Delegate) -> None:
    bundle = user.base / "bundle"
    (bundle / "rootfs/bin").mkdir(parents=True)
    (bundle / "rootfs/bin/sleep").write_bytes(Path(BUSYBOX).read_bytes())
    (bundle / "rootfs/bin/sleep").chmod(0o755)
    subprocess.run(["chown", "-R", f"{ordinary.UID}:{ordinary.UID}", bundle], check=True)
    runtime = f"{Path(sys.executable).parent}/jubako-oci --root {user.runtime}/oci"
    user.said(f"cd {bundle}; {runtime} spec --rootless")
    config = json.loads((bundle / "config.json").read_text())
    config["process"].update(args=["/bin/sleep", "100"], terminal=False)
    config["linux"].update(cgroupsPath="/mine/one", resources={"memory": {"limit": 64 << 20}})
    (bundle / "config.json").write_text(json.dumps(config))
    user.said(f"cd {bundle}; {runtime} create one >/dev/null 2>&1; {runtime} start one")
    group = user.group / "jubako/mine/one"
    assert (group / "memory.max").read_text() == f"{64 << 20}\n"
    user.said(f"{runtime} pause one; {runtime} resume one; {runtime} update --memory 32m one")
    assert (group / "memory.max").read_text() == f"{32 << 20}\n"
    user.said(f"{runtime} delete --force one")
    assert user.groups() == []
