"""What `--iidfile`, `--metadata-file` and file outputs leave when what they name is no plain file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jubako.build.exporters.metadata import write_file
from jubako.errors import InvalidArgument


def test_a_pipe_is_written_and_stays_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(tmp_path / "pipe", b"id")
        assert os.read(reader, 10) == b"id"
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to("file")
    write_file(tmp_path / "link", b"new")
    assert os.readlink(tmp_path / "link") == "file"
    assert (tmp_path / "file").read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="can not write"):
        write_file(tmp_path, b"x")
