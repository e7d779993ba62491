"""The container's passwd and group files are hostile input."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.errors import InvalidArgument
from jubako.runtime import users


@pytest.fixture
def root(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    (tmp_path / "root" / "etc").mkdir(parents=True)
    fd = os.open(tmp_path / "root", os.O_RDONLY | os.O_DIRECTORY)
    yield tmp_path / "root", fd
    os.close(fd)


def test_cve_2024_9676_a_passwd_that_is_no_file_is_not_even_opened(root: tuple[Path, int]) -> None:
    path, fd = root
    os.mkfifo(path / "etc" / "passwd")
    waiting = threading.Thread(target=lambda: os.close(os.open(path / "etc" / "passwd", os.O_WRONLY)))
    waiting.start()
    time.sleep(0.05)  # it is in open(2) by then
    found = users.resolve(fd, "0")
    # A device (a watchdog, say) would act when we open it, and no device cgroup is in our way.
    waiting.join(0.1)
    untouched = waiting.is_alive()
    os.close(os.open(path / "etc" / "passwd", os.O_RDONLY | os.O_NONBLOCK))
    waiting.join()
    assert untouched
    assert (found.uid, found.gid) == (0, 0)


def test_a_passwd_that_links_out_of_the_root_is_not_read(root: tuple[Path, int]) -> None:
    path, fd = root
    (path.parent / "passwd").write_text("host:x:4711:4711::/:/bin/sh\n")
    (path / "etc" / "passwd").symlink_to("../../../passwd")
    with pytest.raises(InvalidArgument, match="unable to find user host"):
        users.resolve(fd, "host")


def test_an_endless_passwd_is_read_to_a_limit(root: tuple[Path, int]) -> None:
    path, fd = root
    with open(path / "etc" / "passwd", "wb") as file:
        file.truncate(1 << 40)
    assert users.resolve(fd, "5").uid == 5


@pytest.mark.parametrize("number", ["4294967295", "-1", "1e3", "9" * 5000])
def test_a_row_with_an_impossible_id_is_refused(root: tuple[Path, int], number: str) -> None:
    path, fd = root
    (path / "etc" / "passwd").write_text(f"evil:x:{number}:0::/:/bin/sh\n")
    with pytest.raises(InvalidArgument, match="invalid id"):
        users.resolve(fd, "evil")


@pytest.mark.parametrize("number", ["4294967295", "-1", "+1", "9" * 5000])
def test_a_number_that_is_no_user_is_refused(root: tuple[Path, int], number: str) -> None:
    with pytest.raises(InvalidArgument, match="out of range"):
        users.resolve(root[1], number)


def test_leading_zeros_mean_nothing(root: tuple[Path, int]) -> None:
    assert users.resolve(root[1], "0" * 5000 + "7").uid == 7
