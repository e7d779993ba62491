"""`docker cp` while the container changes what is being copied, CVE-2018-15664: each race is won here without one."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import threading
import time
from pathlib import Path

import pytest

from jubako.image.layer import copy, extractor, walker
from jubako.image.layer.tar.writer import Writer

from .conftest import Target, info, tar_of

pytestmark = pytest.mark.root


def test_cve_2018_15664_a_mode_is_not_set_through_a_link_that_took_a_names_place(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = target.path.parent / "outside"
    outside.chmod(0o600)
    mknod = os.mknod

    def swapped(path: bytes, mode: int, device: int, *, dir_fd: int) -> None:
        mknod(path, mode, device, dir_fd=dir_fd)
        os.unlink(path, dir_fd=dir_fd)
        os.symlink("../outside", path, dir_fd=dir_fd)

    monkeypatch.setattr(extractor.os, "mknod", swapped)
    copy.extract_into(target.fd, "/", io.BytesIO(tar_of(info("pipe", tarfile.FIFOTYPE, mode=0o4777))))
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600


def opened_by_reader(path: Path) -> tuple[threading.Thread, Path]:
    """A FIFO and who waits to write to it: ends when somebody opens it to read."""
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: os.close(os.open(path, os.O_WRONLY)))
    writer.start()
    time.sleep(0.05)  # it is in open(2) by then
    return writer, path


def test_what_took_a_files_place_is_not_opened_in_a_live_tree(target: Target) -> None:
    waiting, path = opened_by_reader(target.path / "file")
    archive = io.BytesIO()
    writer = Writer(archive.write)
    # As the directory was read, it was a file: a device would have been opened by us, outside of any device cgroup.
    walker.Walker(writer, live=True)._one(target.fd, b"file", b"file", stat.S_IFREG)
    writer.finish()
    waiting.join(0.1)
    untouched = waiting.is_alive()
    os.close(os.open(path, os.O_RDONLY))
    waiting.join()
    assert untouched
    with tarfile.open(fileobj=io.BytesIO(archive.getvalue())) as found:
        assert found.getmember("file").isfifo()


def test_docker_cp_reads_a_live_tree(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    target.unpack(("a/", b""), ("a/file", b"content"))
    made = []
    monkeypatch.setattr(copy, "Walker", lambda *given, **named: made.append(named) or walker.Walker(*given, **named))
    copy.archive_path(target.fd, "/a", io.BytesIO())
    assert made == [{"live": True}]
