"""A path of a file system, found in the layers that make it up.

A directory of a stack of layers is itself a stack: of that directory in each layer, from the top down to where a
whiteout, a file in the way or an opaque directory hides the rest. So a part of a file system can be mounted alone.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec

from jubako.build.files.tree import real_path
from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem
from jubako.errors import InvalidArgument, NotFound
from jubako.linux.openat2 import open_in_root
from jubako.spec.oci_image import DiffID


class Found(msgspec.Struct, frozen=True):
    """Where a directory (topmost layer first) or a file (one path) lies, and what it is in the whole."""

    paths: list[Path]
    status: os.stat_result

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)


def find_in_layers(bench: Bench, filesystem: Filesystem, path: str) -> Found:
    """Find `path`, its links resolved inside the file system. NotFound; InvalidArgument for a device and the like."""
    with bench.view(filesystem) as root_fd:
        real = real_path(root_fd, path)
        try:
            fd = open_in_root(root_fd, real, os.O_PATH | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound("file", path, message=f'"{path}": not found in the source of the mount') from None
        try:
            status = os.fstat(fd)
        finally:
            os.close(fd)
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        raise InvalidArgument(f'"{path}" is neither a file nor a directory and can not be mounted')
    return Found(_stack(bench, filesystem.diff_ids, real, directory=stat.S_ISDIR(status.st_mode)), status)


def _stack(bench: Bench, layers: list[DiffID], path: str, *, directory: bool) -> list[Path]:
    found: list[Path] = []
    for diff_id in reversed(layers):
        here, hides = _look(bench.snapshotter.layer_path(diff_id), path, bench.snapshotter.xattr_prefix)
        if here is not None and (not directory or here.is_dir()):
            found.append(here)
        if hides or (found and not directory):
            break
    return found


def _look(layer: Path, path: str, xattr_prefix: str) -> tuple[Path | None, bool]:
    """Where `path` is in one layer, if it is, and whether the layer hides what lies beneath."""
    current, hides = layer, False
    parts = path.split("/") if path else []
    for number, part in enumerate(parts, 1):
        current = current / part
        try:
            status = current.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None, hides
        if not stat.S_ISDIR(status.st_mode):
            last = number == len(parts) and stat.S_ISREG(status.st_mode)
            return (current if last else None), True
        hides = hides or _is_opaque(current, xattr_prefix)
    return current, hides


def _is_opaque(path: Path, xattr_prefix: str) -> bool:
    try:
        return os.getxattr(path, f"{xattr_prefix}overlay.opaque", follow_symlinks=False) == b"y"
    except OSError:
        return False
