"""Run directories of RUN containers: locked while their build lives, collected by the next one when it was killed.

Layout:  RUN_ROOT/build/<id>/    flocked by the build; the container's cgroup is the one that its file `cgroup` names
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.errors import InvalidArgument

if TYPE_CHECKING:
    from jubako.network import Networks

_GROUP = "cgroup"


@contextmanager
def run_directory(run_root: Path, container_id: str, group: str) -> Iterator[Path]:
    """Lend the run directory of the container that will be in the cgroup `group`; it is gone afterwards."""
    path = run_root / "build" / container_id
    fd = _make_locked(path)
    try:
        (path / _GROUP).write_text(group)
        yield path
    finally:
        _remove(path)
        os.close(fd)


def cgroup_name(container_id: str, parent: str) -> str:
    """The container's group beneath `parent`, where one is asked for. Raises InvalidArgument for a parent elsewhere."""
    parts = [part for part in parent.split("/") if part]
    if {".", ".."} & set(parts) or "\0" in parent:
        raise InvalidArgument(f"invalid cgroup parent: {parent}")
    return "/".join([*parts, f"build-{container_id}"])


def reap(networks: Networks, run_root: Path) -> int:
    """Stop and remove what killed builds left running; returns how many containers that were."""
    count = 0
    base = run_root / "build"
    for path in list(base.iterdir()) if base.is_dir() else []:
        fd = _lock_abandoned(path)
        if fd is not None:
            try:
                _stop(networks, path)
            finally:
                os.close(fd)
            count += 1
    return count


def _stop(networks: Networks, path: Path) -> None:
    from jubako.linux import cgroup
    from jubako.network import pasta

    if group := _group(path):
        cgroup.at("").open(group).remove()
    pasta.disconnect(path)
    networks.detach(path.name)
    _remove(path)


def _group(path: Path) -> str:
    """The cgroup of a run directory; "" when its build was killed before there was one."""
    try:
        return (path / _GROUP).read_text()
    except FileNotFoundError:
        return ""


def _remove(path: Path) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _make_locked(path: Path) -> int:
    """An fd of the new directory, locked. A sweep that comes before the lock removes it: then it is made once more."""
    while True:
        path.mkdir(parents=True, mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(fd, fcntl.LOCK_EX)
            if os.fstat(fd).st_nlink:
                return fd
            os.close(fd)


def _lock_abandoned(path: Path) -> int | None:
    """An fd of the directory, locked, when nobody else holds it; who removes it keeps the lock until that is done."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd
