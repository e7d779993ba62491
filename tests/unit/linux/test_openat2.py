from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.linux.openat2 import mkdirs_in_root, open_in_root


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "root").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    fd = os.open(tmp_path / "root", os.O_PATH | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def _where(fd: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


@pytest.mark.parametrize("path", ["/etc/file", "etc/file", "../../etc/file", "/etc/../../etc/./file", b"/etc/file"])
def test_paths_are_resolved_in_the_root(root: int, tmp_path: Path, path: str | bytes) -> None:
    (tmp_path / "root" / "etc").mkdir()
    (tmp_path / "root" / "etc" / "file").write_text("x")
    assert _where(open_in_root(root, path, os.O_RDONLY)) == str(tmp_path / "root/etc/file")


@pytest.mark.parametrize("target", ["../../outside", "{outside}", "/proc/self/root{outside}"])
def test_links_do_not_lead_out(root: int, tmp_path: Path, target: str) -> None:
    (tmp_path / "root" / "link").symlink_to(target.format(outside=tmp_path / "outside"))
    with pytest.raises(FileNotFoundError):
        open_in_root(root, "link/secret", os.O_RDONLY)


def test_fds_are_closed_on_exec(root: int) -> None:
    fd = open_in_root(root, "", os.O_PATH)
    assert not os.get_inheritable(fd)
    os.close(fd)


def test_missing_directories_are_made_with_their_mode_whatever_the_umask(root: int, tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        assert _where(mkdirs_in_root(root, "/a//b/./c", 0o2775)) == str(tmp_path / "root/a/b/c")
    finally:
        os.umask(old)
    assert (tmp_path / "root/a").stat().st_mode & 0o7777 == 0o2775


def test_directories_that_exist_are_not_changed(root: int, tmp_path: Path) -> None:
    (tmp_path / "root/a").mkdir(mode=0o700)
    os.close(mkdirs_in_root(root, "a/b"))
    assert (tmp_path / "root/a").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("target", "made"),
    [
        ("/x/y", "x/y/d"),
        ("x", "x/d"),
        ("../../../outside/new", "outside/new/d"),
        ("{outside}/new", "{outside}/new/d"),
        ("second", "third/d"),
    ],
)
def test_links_to_nowhere_are_made_inside_the_root(root: int, tmp_path: Path, target: str, made: str) -> None:
    outside = str(tmp_path / "outside")
    (tmp_path / "root/link").symlink_to(target.format(outside=outside))
    (tmp_path / "root/second").symlink_to("third")
    expected = str(tmp_path / "root") + "/" + made.format(outside=outside).lstrip("/")
    assert _where(mkdirs_in_root(root, "link/d")) == expected
    assert os.listdir(outside) == ["secret"]


def test_link_loops_and_files_in_the_way_are_errors(root: int, tmp_path: Path) -> None:
    (tmp_path / "root/loop").symlink_to("loop")
    (tmp_path / "root/file").write_text("x")
    with pytest.raises(OSError, match="loop") as caught:
        mkdirs_in_root(root, "loop/a")
    assert caught.value.errno == errno.ELOOP
    with pytest.raises(NotADirectoryError):
        mkdirs_in_root(root, "file/a")


def test_failures_leave_no_fd(root: int) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        with pytest.raises(FileNotFoundError):
            open_in_root(root, "none", os.O_RDONLY)
    os.close(mkdirs_in_root(root, "a/b/c/d"))
    assert len(os.listdir("/proc/self/fd")) == before
