"""A busybox root filesystem, and containers made of it with the runtime alone: no engine, no image, no network."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jubako.linux import cgroup
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime import attach, defaults, executor
from jubako.runtime.attach import Attached
from jubako.runtime.executor import Exit, Handle, Launch
from jubako.spec.oci_runtime import Capabilities, Linux, Mount, Namespace, Process, Resources, Root, Spec

from .oci import Oci, group_name

BUSYBOX = "/bin/busybox"
NAMESPACES = ("pid", "mount", "ipc", "uts", "network", "cgroup")


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lower directory with busybox in it."""
    if not os.path.exists(BUSYBOX):
        pytest.skip("busybox-static is not installed")
    root = tmp_path_factory.mktemp("image")
    root.chmod(0o755)
    for name in ("bin", "etc", "tmp", "proc", "sys", "dev", "home"):
        (root / name).mkdir()
    shutil.copy(BUSYBOX, root / "bin" / "busybox")
    for name in subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home:/bin/sh\n")
    (root / "bin" / "data").write_text("no program\n")
    return root


class Runtime:
    """Launches containers in one test; what is left of them at its end is removed."""

    def __init__(self, image: Path, base: Path) -> None:
        self.image, self.base = image, base
        self.handles: list[Handle] = []
        self.groups: list[CgroupHandle] = []
        self._count = 0

    def directory(self, name: str) -> Path:
        path = self.base / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def spec(self, *args: str, namespaces: tuple[str, ...] = NAMESPACES, **process: Any) -> Spec:
        names = defaults.CAPABILITIES
        process.setdefault("capabilities", Capabilities(bounding=names, effective=names, permitted=names))
        process.setdefault("env", ["PATH=/bin:/usr/bin"])
        return Spec(
            root=Root(path=str(self.image)),
            hostname="box",
            process=Process(args=list(args), **process),
            mounts=defaults.mounts(),
            linux=Linux(
                namespaces=[Namespace(type=name) for name in namespaces],
                masked_paths=list(defaults.MASKED_PATHS),
                readonly_paths=list(defaults.READONLY_PATHS),
            ),
        )

    def overlay(self) -> list[Mount]:
        self._count += 1
        upper, work = self.directory(f"upper{self._count}"), self.directory(f"work{self._count}")
        options = [f"lowerdir+={self.image}", f"upperdir={upper}", f"workdir={work}", "volatile"]
        return [Mount(destination="/", type="overlay", options=options)]

    def group(self, resources: Resources | None = None) -> CgroupHandle:
        name = f"test-{os.getpid()}-{len(self.groups)}"
        group = cgroup.manager().create(name, resources or Resources(devices=defaults.DEVICE_RULES))
        self.groups.append(group)
        return group

    def create(self, spec: Spec, **launch: Any) -> Handle:
        launch.setdefault("rootfs", self.overlay())
        launch.setdefault("run_dir", self.directory(f"run{self._count}"))
        handle = executor.create(Launch(spec=spec, **launch))
        self.handles.append(handle)
        return handle

    def exec(self, handle: Handle, spec: Spec, process: Process, **launch: Any) -> Handle:
        """Make one more process in the container of `handle`, which `spec` describes."""
        launch.setdefault("run_dir", self.directory("exec"))
        child = executor.exec_(handle.pid, Launch(spec=msgspec.structs.replace(spec, process=process), **launch))
        self.handles.append(child)
        return child

    def run(self, *args: str, process: dict[str, Any] | None = None, **launch: Any) -> tuple[str, Exit]:
        """Standard output and error of a container of `args`, and how it ended."""
        return self.run_spec(self.spec(*args, **(process or {})), **launch)

    def sh(self, script: str, **launch: Any) -> str:
        """What a shell script prints; it must succeed."""
        output, ended = self.run("sh", "-ec", script, **launch)
        assert ended.code == 0, output
        return output

    def run_spec(self, spec: Spec, **launch: Any) -> tuple[str, Exit]:
        handle = self.create(spec, attach=True, **launch)
        handle.start()
        assert handle.attached
        output = read_all(handle.attached)
        ended = handle.wait(30)
        handle.acknowledge()
        handle.attached.close()
        return output, ended

    def close(self) -> None:
        for handle in self.handles:
            with contextlib.suppress(OSError):
                handle.abandon()
        for group in self.groups:
            group.remove()


def read_all(attached: Attached) -> str:
    data = b""
    while frame := attached.read(30):
        if frame.kind in (attach.STDOUT, attach.STDERR):
            data += frame.data
    return data.decode(errors="replace")


def read_until(attached: Attached, text: str) -> str:
    """Output up to and with `text`."""
    data = b""
    while text.encode() not in data:
        frame = attached.read(30)
        assert frame, data
        data += frame.data
    return data.decode(errors="replace")


@pytest.fixture
def runtime(image: Path, tmp_path: Path) -> Iterator[Runtime]:
    made = Runtime(image, tmp_path)
    yield made
    made.close()


@pytest.fixture
def oci(tmp_path: Path, image: Path) -> Iterator[Oci]:
    made = Oci(tmp_path, image)
    made.configure("sleep", "100")
    yield made
    for name in ("one", "two"):
        done = made("delete", "--force", name)
        assert done.returncode == 0, done.stderr
    assert not {group_name("one"), group_name("two")} & set(cgroup.manager().names())


@pytest.fixture
def running(oci: Oci) -> Oci:
    """With the container `one`, which sleeps."""
    oci.create("one")
    assert oci("start", "one").returncode == 0
    return oci
