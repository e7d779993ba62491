"""Layers by the standard library's tarfile, and trees read back as what each path is."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest

from jubako.image.layer import DEFAULT, Limits, Unpacked, unpack

Member = tarfile.TarInfo | tuple[str, bytes]


def info(name: str, type: bytes = tarfile.REGTYPE, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type = type
    made.mode = 0o755 if type == tarfile.DIRTYPE else 0o644
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def tar_of(*members: Member, format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format, errors="surrogateescape") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member, io.BytesIO(b"d" * member.size) if member.isreg() else None)
                continue
            name, data = member
            made = info(name.rstrip("/"), tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE, size=len(data))
            archive.addfile(made, io.BytesIO(data))
    return out.getvalue()


def describe(root: Path) -> dict[str, object]:
    """What each path beneath `root` is: content, link target, device, whiteout or directory."""
    found: dict[str, object] = {}
    for directory, names, files in os.walk(root):
        for name in names + files:
            path = Path(directory, name)
            found[str(path.relative_to(root))] = _one(path)
    return found


def _one(path: Path) -> object:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return "-> " + os.readlink(path)
    if stat.S_ISREG(status.st_mode):
        return path.read_bytes()
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        return "whiteout"
    if stat.S_ISDIR(status.st_mode):
        opaque = "trusted.overlay.opaque" in os.listxattr(path)
        return "opaque directory" if opaque else "directory"
    return stat.filemode(status.st_mode)[0]


class Target:
    """A directory to unpack into."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)

    def unpack(
        self, *layers: bytes | Member, whiteouts: Literal["overlay", "apply"] = "overlay", limits: Limits = DEFAULT
    ) -> Unpacked:
        """Unpack layers given as bytes, or one layer given by its members."""
        if not isinstance(layers[0], bytes):
            layers = (tar_of(*layers),)  # type: ignore[arg-type]
        for layer in layers:
            assert isinstance(layer, bytes)
            result = unpack(io.BytesIO(layer), self.fd, whiteouts=whiteouts, limits=limits)
        return result

    def describe(self) -> dict[str, object]:
        return describe(self.path)

    def stat(self, name: str) -> os.stat_result:
        return (self.path / name).lstat()


@pytest.fixture
def make_target(tmp_path: Path) -> Iterator[Callable[[str], Target]]:
    """Makes targets side by side; a file `outside` beside them must never change."""
    (tmp_path / "outside").write_bytes(b"untouched")
    made: list[Target] = []

    def make(name: str) -> Target:
        (tmp_path / name).mkdir()
        made.append(Target(tmp_path / name))
        return made[-1]

    yield make
    for target in made:
        os.close(target.fd)
    assert (tmp_path / "outside").read_bytes() == b"untouched"
    assert sorted(os.listdir(tmp_path)) == sorted(["outside", *(target.path.name for target in made)])


@pytest.fixture
def target(make_target: Callable[[str], Target]) -> Target:
    return make_target("target")
