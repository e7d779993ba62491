"""Files of a projection, written so that a reader sees all of one state or all of the next.

Layout:     DIRECTORY/..data -> ..N     DIRECTORY/..N/…    DIRECTORY/NAME -> ..data/NAME
Killed:     a state that no link leads to is thrown away by the next write.
Spec:       k8s.io/kubernetes/pkg/volume/util/atomic_writer.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

_DATA = "..data"
_NEXT = "..data_tmp"


class File(NamedTuple):
    """`user` is its owner, -1 for root."""

    data: bytes
    mode: int
    user: int = -1


def project(path: Path, files: Mapping[str, File], group: int = -1) -> bool:
    """Have exactly these files in a directory, all at once; tells whether they were not there already.

    With a `group` they are that one's, and it may read them.
    """
    path.mkdir(parents=True, mode=0o755, exist_ok=True)
    wanted = {name: _readable(file) if group >= 0 else file for name, file in files.items()}
    if (path / _DATA).is_dir() and _current(path / _DATA) == wanted:
        return False
    _own_directory(path, group)
    state = path / f"..{os.urandom(8).hex()}"
    _make_directory(state, group)
    for name, file in wanted.items():
        _write(state, name, file, group)
    _lead_to(path, state.name)
    _link_names(path, {name.partition("/")[0] for name in wanted})
    _forget_others(path, state.name)
    return True


def read(path: Path, name: str) -> bytes:
    """Return a file of the present state, b"" where there is none."""
    try:
        return (path / _DATA / name).read_bytes()
    except OSError:
        return b""


def _readable(file: File) -> File:
    return file._replace(mode=file.mode | 0o440)


def _current(data: Path) -> dict[str, File]:
    found = {}
    for directory, _, names in os.walk(data):
        for name in names:
            path = Path(directory) / name
            about = path.stat()
            found[str(path.relative_to(data))] = File(path.read_bytes(), about.st_mode & 0o777, about.st_uid or -1)
    return found


def _write(state: Path, name: str, file: File, group: int) -> None:
    path = state / name
    for parent in reversed(path.relative_to(state).parents[:-1]):
        _make_directory(state / parent, group)
    path.write_bytes(file.data)
    os.chown(path, file.user, group)
    path.chmod(file.mode)


def _make_directory(path: Path, group: int) -> None:
    path.mkdir(mode=0o755, exist_ok=True)
    path.chmod(0o755)
    _own_directory(path, group)


def _own_directory(path: Path, group: int) -> None:
    if group >= 0:
        os.chown(path, -1, group)
        path.chmod(0o2755)


def _lead_to(path: Path, state: str) -> None:
    link = path / _NEXT
    link.unlink(missing_ok=True)
    link.symlink_to(state)
    link.rename(path / _DATA)


def _link_names(path: Path, names: set[str]) -> None:
    for entry in path.iterdir():
        if not entry.name.startswith("..") and entry.name not in names:
            entry.unlink()
    for name in names:
        if not (path / name).is_symlink():
            (path / name).symlink_to(f"{_DATA}/{name}")


def _forget_others(path: Path, state: str) -> None:
    for entry in path.iterdir():
        if entry.name.startswith("..") and entry.name not in (_DATA, state):
            shutil.rmtree(entry, ignore_errors=True)
