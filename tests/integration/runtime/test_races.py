"""Escapes that need a container which changes its files while another one is made. The names tell which."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from jubako.errors import JubakoError
from jubako.spec.oci_runtime import Mount

pytestmark = pytest.mark.root

ATTEMPTS = 40
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@contextmanager
def exchanging(one: Path, other: Path) -> Iterator[None]:
    """Two names take each other's place as fast as they can, while this lasts."""
    libc, ended = ctypes.CDLL(None), threading.Event()

    def exchange() -> None:
        names = os.fsencode(one), os.fsencode(other)
        while not ended.is_set():
            libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)

    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A volume that an attacker's container shares: `dir` in it is a directory, `link` leads out of any root."""
    volume = tmp_path / "volume"
    (volume / "dir").mkdir(parents=True)
    (tmp_path / "victim").mkdir()
    (volume / "link").symlink_to(tmp_path / "victim")
    return volume


def spec_of(runtime: Any, volume: Path, *mounts: Mount) -> Any:
    spec = runtime.spec("true")
    spec.mounts.append(Mount(destination="/volume", type="bind", source=str(volume), options=["rbind"]))
    spec.mounts += mounts
    return spec


def attempt(runtime: Any, spec: Any) -> bool:
    """Make the container; the race may as well make that fail."""
    try:
        handle = runtime.create(spec)
        handle.start()
        handle.wait(60)
        handle.acknowledge()
    except JubakoError:
        return False
    return True


def test_cve_2021_30465_and_2024_45310_what_a_mount_needs_is_not_made_outside(
    runtime: Any, volume: Path, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_text("content")
    spec = spec_of(
        runtime,
        volume,
        Mount(destination="/volume/dir/made/deep", type="tmpfs", source="tmpfs"),
        Mount(destination="/volume/dir/file", type="bind", source=str(file), options=["bind"]),
    )
    with exchanging(volume / "dir", volume / "link"):
        made = [attempt(runtime, spec) for _ in range(ATTEMPTS)]
    assert any(made)
    assert os.listdir(tmp_path / "victim") == []


def test_cve_2025_31133_a_mask_does_not_land_outside(runtime: Any, volume: Path, tmp_path: Path) -> None:
    (volume / "dir" / "file").write_text("inside")
    (tmp_path / "victim" / "file").write_text("outside")
    script = f"cat /volume/dir/file /volume/link/file {tmp_path}/victim/file 2>/dev/null | grep -c outside"
    spec = spec_of(runtime, volume)
    spec.process.args = ["sh", "-c", script]
    spec.linux.masked_paths = ["/volume/dir/file"]
    with exchanging(volume / "dir", volume / "link"):
        for _ in range(ATTEMPTS // 2):
            output, _ = runtime.run_spec(spec)
            assert output == "0\n"
    assert (tmp_path / "victim" / "file").read_text() == "outside"


def test_cve_2025_52881_a_parameter_is_not_written_into_what_lies_over_its_file(runtime: Any, tmp_path: Path) -> None:
    """The write must reach the kernel's own file, or fail: a label, too, would be lost in a file of the attacker's."""
    (tmp_path / "ipv4").mkdir()
    fake = tmp_path / "ipv4" / "ip_forward"
    fake.write_text("untouched")
    spec = runtime.spec("true")
    spec.mounts.append(
        Mount(destination="/proc/sys/net/ipv4", type="bind", source=str(tmp_path / "ipv4"), options=["bind"])
    )
    spec.linux.sysctl = {"net.ipv4.ip_forward": "1"}
    handle = runtime.create(spec)
    with pytest.raises(JubakoError, match="failed to set the sysctl net/ipv4/ip_forward"):
        handle.start()
    assert fake.read_text() == "untouched"
