"""The files of a build whose layers can not all be had."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jubako.build.exporters.files import write_directory
from jubako.build.exporters.product import Product
from jubako.build.exporters.spec import Output
from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem
from jubako.build.moment import Moment
from jubako.errors import DataLoss
from jubako.image import platform as platforms
from jubako.spec.oci_image import ImageConfig, RootFS


class Lacking(Bench):
    """Has the first file system that it is asked for, and no other."""

    def __init__(self, path: Path) -> None:
        self.moment = Moment()
        self._path: Path | None = path

    @contextmanager
    def view(self, filesystem: Filesystem) -> Iterator[int]:
        if self._path is None:
            raise DataLoss("a layer is damaged")
        fd = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        self._path = None
        try:
            yield fd
        finally:
            os.close(fd)


def test_a_directory_of_which_only_a_part_could_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/file").write_text("text")
    products = [
        Product(platforms.parse(text), ImageConfig(architecture="", os="linux", rootfs=RootFS()), Filesystem())
        for text in ("linux/amd64", "linux/arm64")
    ]
    with pytest.raises(DataLoss, match="a layer is damaged"):
        write_directory(Lacking(tmp_path / "root"), products, Output(type="local", dest=str(tmp_path / "out")))
