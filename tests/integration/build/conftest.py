"""A store with a small base image, and a context directory to fill."""

from __future__ import annotations

import ctypes
import io
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from jubako.build import BuildDrivers, BuildResult, PlainProgress, build
from jubako.image import compose
from jubako.image.catalog import Image, Images
from jubako.image.layer import pack_blob
from jubako.linux.netns import CLONE_NEWNET, inside
from jubako.linux.syscall import libc
from jubako.network import Networks
from jubako.network.bridge import loopback_up
from jubako.snapshot import Overlay, mounted
from jubako.spec.oci_image import ContainerConfig, History, ImageConfig, RootFS
from jubako.store import Store

APPLETS = "sh cat ls id echo touch mkdir rm sleep env stat chmod chown ln pwd true false find sort ip head tail test wc"
BUSYBOX = "/bin/busybox" if Path("/bin/busybox").exists() else "/usr/bin/busybox"


class Site:
    """Builds in one state directory; `output` is what the last build printed."""

    def __init__(self, base: Path) -> None:
        self.root, self.run_root, self.context = base / "root", base / "run", base / "context"
        self.context.mkdir(parents=True)
        self.store = Store.open(self.root)
        self.images = Images(self.store)
        self.snapshots = Overlay(self.store)
        self.networks = Networks(self.store, self.run_root)
        self.drivers = BuildDrivers(self.store, self.images, self.snapshots, self.networks, self.root, self.run_root)
        self.output = ""

    def close(self) -> None:
        self.networks.teardown()
        self.networks.close()
        self.store.close()

    def file(self, path: str, content: str | bytes = "", mode: int = 0o644) -> Path:
        target = self.context / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        target.chmod(mode)
        return target

    def build(self, dockerfile: str | None = None, **options: object) -> BuildResult:
        """Build; RUN has no network unless the test says otherwise."""
        if dockerfile is not None:
            self.file("Dockerfile", dockerfile)
        stream = io.StringIO()
        try:
            return build(self.drivers, self.context, progress=PlainProgress(stream), **{"network": "none", **options})
        finally:
            self.output = stream.getvalue()

    def image(self, result: BuildResult) -> Image:
        return self.images.load(result.manifest)

    def config(self, result: BuildResult) -> ContainerConfig:
        config = self.image(result).config.config
        assert config is not None
        return config

    def cached(self) -> list[str]:
        """The names of the steps that came from the cache."""
        lines = self.output.splitlines()
        names = {line.split()[0]: line.split(" ", 1)[1] for line in lines if " [" in line or " exporting" in line}
        return [names[line.split()[0]].split("] ", 1)[1] for line in lines if line.endswith(" CACHED")]

    def look(self, result: BuildResult, act: Callable[[Path], object]) -> object:
        """What `act` sees of the image's root, mounted read-only and attached nowhere."""
        with mounted(self.snapshots.view_mounts(self.image(result).diff_ids)) as fd:
            return act(Path(f"/proc/self/fd/{fd}/"))

    def read(self, result: BuildResult, path: str) -> str:
        return str(self.look(result, lambda root: (root / path).read_text()))

    def stat(self, result: BuildResult, path: str) -> os.stat_result:
        found = self.look(result, lambda root: (root / path).lstat())
        assert isinstance(found, os.stat_result)
        return found

    def owner_and_mode(self, result: BuildResult, path: str) -> tuple[int, int, str]:
        status = self.stat(result, path)
        return status.st_uid, status.st_gid, f"{status.st_mode & 0o7777:o}"

    def names(self, result: BuildResult, path: str) -> list[str]:
        found = self.look(result, lambda root: sorted(entry.name for entry in (root / path).iterdir()))
        assert isinstance(found, list)
        return found

    def base_image(self, name: str, config: Mapping[str, object] | None = None, files: Mapping[str, str] = {}) -> None:
        """An image of a static busybox with two users."""
        with self.snapshots.new_layer() as draft:
            _fill(draft.path, files)
            blob, diff_id = pack_blob(draft.fd, self.store.blobs, xattr_prefix=self.snapshots.xattr_prefix)
            draft.commit(diff_id)
        document = ImageConfig(
            created="2024-01-01T00:00:00Z",
            architecture="amd64",
            os="linux",
            config=ContainerConfig(**{"env": ["PATH=/bin"], "cmd": ["sh"], **(config or {})}),
            rootfs=RootFS(diff_ids=[diff_id]),
            history=[History(created="2024-01-01T00:00:00Z", created_by="base")],
        )
        self.images.put(name, compose.write_image(self.store, document, [blob]))


def _fill(path: Path, files: Mapping[str, str]) -> None:
    for name in ("bin", "etc", "tmp", "home/app"):
        (path / name).mkdir(parents=True)
    (path / "tmp").chmod(0o1777)
    shutil.copy(BUSYBOX, path / "bin/busybox")
    for applet in APPLETS.split():
        os.symlink("busybox", path / "bin" / applet)
    (path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n")
    (path / "etc/group").write_text("root:x:0:\napp:x:1001:\nextra:x:1002:app\n")
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    made.base_image("base")
    yield made
    made.close()


@pytest.fixture
def own_network() -> Iterator[None]:
    """Run the test in a new network namespace with a loopback device."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        assert libc.setns(home, CLONE_NEWNET) == 0
    finally:
        os.close(home)
    try:
        loopback_up(fd)
        with inside(fd):
            yield
    finally:
        os.close(fd)
