from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from jubako.store import Store
from jubako.volume import Volume, Volumes

pytestmark = pytest.mark.root


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(Store.open(tmp_path / "store"))


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A directory with one of each kind that an image can hold."""
    image = tmp_path / "image"
    (image / "sub" / "deep").mkdir(parents=True)
    (image / "sub" / "deep" / "file").write_text("content")
    os.link(image / "sub/deep/file", image / "hardlink")
    (image / "dangling").symlink_to("/nowhere")
    (image / "escape").symlink_to("../../../../etc")
    os.mkfifo(image / "fifo", 0o640)
    os.mknod(image / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    with (image / "sparse").open("wb") as stream:
        stream.truncate(50 << 20)
        stream.seek(30 << 20)
        stream.write(b"middle")
    os.chown(image / "sub", 5, 6)
    os.chown(image / "hardlink", 7, 8)
    os.chmod(image / "hardlink", 0o6755)
    os.chown(image / "dangling", 9, 9, follow_symlinks=False)
    os.setxattr(image / "hardlink", "user.note", b"value")
    os.setxattr(image / "sub", "trusted.overlay.opaque", b"y")
    os.utime(image / "hardlink", ns=(1, 1_000_000_000_000_000_001))
    os.utime(image / "sub", ns=(2, 2_000_000_000_000_000_002))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(image / "socket"))
    os.chown(image, 1, 2)
    os.chmod(image, 0o2750)
    return image


def _populate(volumes: Volumes, volume: Volume, image: Path) -> Path:
    fd = os.open(image, os.O_RDONLY | os.O_DIRECTORY)
    try:
        volumes.populate(volume, fd)
    finally:
        os.close(fd)
    return volume.path


def _facts(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    times = status.st_mtime_ns if not path.is_symlink() else None
    return (status.st_mode, status.st_uid, status.st_gid, status.st_rdev, status.st_size, status.st_nlink, times)


def test_everything_but_sockets_is_copied_as_it_is(volumes: Volumes, image: Path) -> None:
    copy = _populate(volumes, volumes.create("web"), image)
    names = sorted(str(path.relative_to(image)) for path in image.rglob("*") if path.name != "socket")
    assert sorted(str(path.relative_to(copy)) for path in copy.rglob("*")) == names
    for name in names:
        if not (image / name).is_dir():
            assert _facts(copy / name) == _facts(image / name), name
    assert (copy / "hardlink").read_text() == "content"
    assert (copy / "hardlink").stat().st_ino == (copy / "sub/deep/file").stat().st_ino
    assert os.readlink(copy / "escape") == "../../../../etc"


def test_directories_keep_owner_mode_and_time(volumes: Volumes, image: Path) -> None:
    copy = _populate(volumes, volumes.create("web"), image)
    for name in (".", "sub", "sub/deep"):
        source, target = (image / name).stat(), (copy / name).stat()
        assert (target.st_mode, target.st_uid, target.st_gid) == (source.st_mode, source.st_uid, source.st_gid)
        assert target.st_mtime_ns == source.st_mtime_ns


def test_attributes_are_kept_but_not_the_marks_of_overlay(volumes: Volumes, image: Path) -> None:
    copy = _populate(volumes, volumes.create("web"), image)
    assert os.getxattr(copy / "hardlink", "user.note") == b"value"
    assert "trusted.overlay.opaque" not in os.listxattr(copy / "sub")


def test_holes_stay_holes(volumes: Volumes, image: Path) -> None:
    copy = _populate(volumes, volumes.create("web"), image)
    assert (copy / "sparse").read_bytes() == (image / "sparse").read_bytes()
    assert (copy / "sparse").stat().st_blocks * 512 < 1 << 20


def test_a_volume_that_holds_something_is_left_alone(volumes: Volumes, image: Path) -> None:
    volume = volumes.create("web")
    (volume.path / "mine").write_text("x")
    _populate(volumes, volume, image)
    assert os.listdir(volume.path) == ["mine"]


def test_the_directory_itself_stays_so_that_a_mount_of_it_sees_the_content(volumes: Volumes, image: Path) -> None:
    volume = volumes.create("web")
    before = volume.path.stat().st_ino
    assert _populate(volumes, volume, image).stat().st_ino == before


def test_an_interrupted_copy_is_finished_by_whoever_comes_next(volumes: Volumes, image: Path) -> None:
    volume = volumes.create("web")
    ready = volume.path.parent / "ready"
    ready.mkdir(mode=0o751)
    (volume.path / "moved").write_text("x")
    (ready / "left").write_text("y")
    volumes.get("web")
    assert sorted(os.listdir(volume.path)) == ["left", "moved"]
    assert not ready.exists()
    assert stat.S_IMODE(volume.path.stat().st_mode) == 0o751


def test_very_deep_directories_are_refused_or_copied_but_never_recursed(volumes: Volumes, tmp_path: Path) -> None:
    image = tmp_path / "image"
    path = image
    for _ in range(300):
        path = path / "d"
    path.mkdir(parents=True)
    volume = volumes.create("deep")
    _populate(volumes, volume, image)
    assert volume.path.joinpath(*["d"] * 300).is_dir()
