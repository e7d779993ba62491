"""docker cp and docker diff: a container's files from outside, always resolved within its root and by fd.

A running container is reached through its first process's root, so that its mounts are seen; one that does not run,
through a detached mount of its snapshot. Nothing from the container is executed or loaded (CVE-2018-15664, 2019-14271).
"""

from __future__ import annotations

import contextlib
import os
import posixpath
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO

from jubako.engine import files, lifecycle, rootfs
from jubako.engine.drivers import Drivers
from jubako.errors import NotFound, PermissionDenied
from jubako.image.layer import copy
from jubako.linux.openat2 import ONE_NAME, open_in_root, openat2
from jubako.snapshot import mounted


def copy_to(drivers: Drivers, text: str, path: str, stream: BinaryIO) -> None:
    """Extract a tar stream into the directory `path` of a container."""
    record = lifecycle.get(drivers, text)
    if record.options.read_only:
        raise PermissionDenied("container rootfs is marked read-only")
    with rootfs.opened(drivers, record) as fd:
        copy.extract_into(fd, path, stream)


def copy_from(drivers: Drivers, text: str, path: str, out: BinaryIO) -> None:
    """Write `path` of a container to `out` as a tar stream, whose first name is the path's last component."""
    record = lifecycle.get(drivers, text)
    with rootfs.opened(drivers, record) as fd:
        copy.archive_path(fd, path, out)


def stat_path(drivers: Drivers, text: str, path: str) -> dict[str, Any]:
    """Docker's path stat: name, size, mode (Go's file mode bits), mtime, linkTarget."""
    from jubako.spec import clock

    record = lifecycle.get(drivers, text)
    with rootfs.opened(drivers, record) as root_fd:
        try:
            fd = open_in_root(root_fd, path, os.O_PATH | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise NotFound("path", path, message=f"Could not find the file {path} in container {text}") from None
        try:
            status = os.fstat(fd)
            target = os.readlink("", dir_fd=fd) if stat.S_ISLNK(status.st_mode) else ""
        finally:
            os.close(fd)
    return {
        "name": os.path.basename(path.rstrip("/")) or "/",
        "size": status.st_size,
        "mode": _go_mode(status.st_mode),
        "mtime": clock.stamp(status.st_mtime_ns),
        "linkTarget": target,
    }


def _go_mode(mode: int) -> int:
    """io/fs.FileMode of Go: type bits at the top, permissions at the bottom."""
    kinds = {
        stat.S_IFDIR: 1 << 31,
        stat.S_IFLNK: 1 << 27,
        stat.S_IFIFO: 1 << 25,
        stat.S_IFSOCK: 1 << 24,
        stat.S_IFBLK: 1 << 26,
        stat.S_IFCHR: (1 << 26) | (1 << 21),
    }
    special = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}
    bits = kinds.get(stat.S_IFMT(mode), 0) | (mode & 0o777)
    return bits | sum(go for unix, go in special.items() if mode & unix)


def changes(drivers: Drivers, text: str) -> list[tuple[str, str]]:
    """`docker diff`: ("A" | "C" | "D", path) of what the container changed in its root, parents first.

    The places that the runtime made for its own mounts are not the container's changes and are left out.
    """
    record = lifecycle.get(drivers, text)
    made = {f"/etc/{name}" for name in files.NAMES} | {point.destination for point in record.mounts}
    try:
        upper_fd = os.open(drivers.snapshots.upper(record.id), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []  # a container that has not been started has no snapshot yet
    try:
        with mounted(drivers.snapshots.view_mounts(record.layers)) as lower_fd:
            return sorted(_changed(upper_fd, lower_fd, made), key=lambda change: change[1])
    finally:
        os.close(upper_fd)


def _changed(upper_fd: int, lower_fd: int, made: set[str]) -> Iterator[tuple[str, str]]:
    above = {place[:end] for place in made for end in range(len(place)) if place[end] == "/"}
    changed: set[str] = set()
    # Deepest first, so that of a directory it is known whether anything in it has changed.
    for path, status in reversed(_entries(upper_fd)):
        if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
            kind = "D"
        else:
            kind = "C" if _exists(lower_fd, path) else "A"
            if path in made or (kind == "C" and path in above and path not in changed):
                continue
        changed.add(posixpath.dirname(path))
        yield kind, path


def _entries(root_fd: int) -> list[tuple[str, os.stat_result]]:
    """All that is in a tree, which the container may change meanwhile and have made as deep as it likes."""
    found: list[tuple[str, os.stat_result]] = []
    pending = [""]
    for directory in pending:
        try:
            fd = openat2(root_fd, f".{directory}", os.O_RDONLY | os.O_DIRECTORY, resolve=ONE_NAME)
        except OSError:
            continue
        try:
            inner = [(f"{directory}/{name}", status) for name, status in _statuses(fd)]
        finally:
            os.close(fd)
        found += inner
        pending += [path for path, status in inner if stat.S_ISDIR(status.st_mode)]
    return found


def _statuses(fd: int) -> Iterator[tuple[str, os.stat_result]]:
    for name in os.listdir(fd):
        with contextlib.suppress(FileNotFoundError):
            yield name, os.lstat(name, dir_fd=fd)


def _exists(root_fd: int, path: str) -> bool:
    try:
        os.close(open_in_root(root_fd, path, os.O_PATH | os.O_NOFOLLOW))
    except OSError:
        return False
    return True
