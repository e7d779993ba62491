"""Named directories that outlive containers.

Layout:       volumes/<name>/_data      what containers see
              volumes/<name>/ready      a finished copy of image content on its way into _data
Model:        the record is the volume; it is made before the directory and deleted after it.
Concurrency:  many processes. Names are unique by their record. Copy-up is staged under ingest/ and then moved in entry
              by entry, so that a kill leaves nothing half-copied and a container that mounted _data early keeps it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from jubako.errors import AlreadyExists, Conflict, InvalidArgument, NotFound
from jubako.store import Freed, Store
from jubako.store.failure import explained
from jubako.store.ingest import Ingest
from jubako.store.removal import tree_usage
from jubako.volume.copy import copy_attributes, copy_tree

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}", re.ASCII)

Users = Callable[[str], Iterable[str]]
"""Given a volume's name, the containers that use it; called inside the transaction that removes it."""


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    created: str
    anonymous: bool = False
    labels: dict[str, str] = {}


class Volume(msgspec.Struct, frozen=True):
    """`path` is the directory to mount; `created` is RFC 3339, UTC."""

    name: str
    path: Path
    created: str
    anonymous: bool
    labels: dict[str, str]


def _unused(name: str) -> Iterable[str]:
    return ()


def _any(volume: Volume) -> bool:
    return True


class Volumes:
    """The volumes of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._root = store.root / "volumes"
        self._records = store.records.collection("volume", Record)

    def create(self, name: str | None = None, labels: Mapping[str, str] | None = None) -> Volume:
        """Return the volume `name`, made now unless it exists; without a name, an anonymous one."""
        anonymous = name is None
        key = _checked(name) if name is not None else os.urandom(32).hex()
        record = Record(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), anonymous, dict(labels or {}))
        try:
            self._records.insert(key, record)
        except AlreadyExists:
            return self.get(key)
        return self._volume(key, record)

    def get(self, name: str) -> Volume:
        """Return the volume `name`, or raise NotFound."""
        return self._volume(name, self._records.get(name))

    def list(self) -> list[Volume]:
        """Return all volumes by name."""
        return [self._volume(name, record) for name, record in self._records.items()]

    def remove(self, name: str, *, users: Users = _unused) -> None:
        """Delete a volume with its content; NotFound, or Conflict while `users` names any."""
        with self._store.records.transaction():
            self._records.get(name)
            if holders := list(users(name)):
                raise Conflict(f"remove {name}: volume is in use - [{', '.join(holders)}]")
            self._records.delete(name)
            # The last thing that can fail before the commit, and the one that a rollback would not undo.
            buried = self._bury(name)
        if buried:
            self._store.ingest.dispose(buried)

    def prune(
        self, *, users: Users = _unused, named: bool = False, accept: Callable[[Volume], bool] = _any
    ) -> tuple[Sequence[str], Freed]:
        """Delete the unused anonymous volumes, or with `named` all unused ones, that `accept` takes.

        Returns names and what it freed.
        """
        names, freed_bytes = [], 0
        for volume in self.list():
            if (volume.anonymous or named) and accept(volume) and not list(users(volume.name)):
                size_bytes = self.usage(volume)
                try:
                    self.remove(volume.name, users=users)
                except (Conflict, NotFound):
                    continue
                names.append(volume.name)
                freed_bytes += size_bytes
        return names, Freed(len(names), freed_bytes)

    def usage(self, volume: Volume) -> int:
        """Return the bytes on disk that the volume takes."""
        return tree_usage(volume.path)

    def populate(self, volume: Volume, image_dir_fd: int) -> None:
        """Copy what an image has in a directory into the volume if it is empty, with the directory's owner and mode."""
        if os.listdir(volume.path):
            return
        ready = volume.path.parent / "ready"
        with self._store.ingest.workspace() as workspace, explained("fill volume", volume.path):
            staged = workspace.path / "ready"
            staged.mkdir(mode=0o700)
            with _opened(staged) as fd:
                copy_tree(image_dir_fd, fd)
            try:
                os.rename(staged, ready)
            except OSError:
                # Another container was first; its copy is as good.
                if not ready.exists():
                    raise
        _move_in(volume.path, self._store.ingest)

    def _bury(self, name: str) -> Path | None:
        try:
            with explained("remove volume", self._root / name):
                return self._store.ingest.bury(self._root / name)
        except FileNotFoundError:
            return None

    def _volume(self, name: str, record: Record) -> Volume:
        path = self._root / name / "_data"
        if not path.is_dir():
            with explained("make volume", path):
                path.parent.mkdir(mode=0o700, exist_ok=True)
                path.mkdir(mode=0o755, exist_ok=True)
        elif (path.parent / "ready").is_dir():
            _move_in(path, self._store.ingest)
        return Volume(name, path, record.created, record.anonymous, record.labels)


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise InvalidArgument(
            f'"{name}" includes invalid characters for a local volume name,'
            ' only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed',
            hint="to mount a directory of the host, give an absolute path",
        )
    return name


def _move_in(data: Path, ingest: Ingest) -> None:
    """Move what is staged into `data`; any process may go on with it, and what is there already stays."""
    try:
        with explained("fill volume", data), _opened(data.parent / "ready") as source, _opened(data) as target:
            status = os.fstat(source)
            present = set(os.listdir(target))
            for name in os.listdir(source):
                if name not in present:
                    os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
            copy_attributes(source, target, "", status)
        ingest.discard(data.parent / "ready")
    except FileNotFoundError:
        # Another process moved the rest.
        return


@contextmanager
def _opened(directory: Path) -> Iterator[int]:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
