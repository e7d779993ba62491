"""Leases: what a living process is about to use, and that collection must therefore keep.

Layout:       leases/<id>     one line for each protected digest or key; flocked by its holder
              leases/.lock    shared while a line is added, exclusive while a sweep decides and deletes
Invariant:    once `add` has returned, what it named is there until the holder lets go, or was not there before.
Concurrency:  many processes; the lock goes with the holder, so kill -9 frees it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jubako.errors import InvalidArgument
from jubako.linux import locks
from jubako.store.failure import explained


class Lease:
    """A lease that this process holds."""

    __slots__ = ("_fd", "_leases", "path")

    def __init__(self, leases: Leases, path: Path, fd: int) -> None:
        self._leases = leases
        self._fd = fd
        self.path = path

    def add(self, *keys: str) -> None:
        """Protect digests and snapshot keys. Look whether they exist after this, not before."""
        if any("\n" in key for key in keys):
            raise InvalidArgument("a lease key must be one line")
        with explained("write to", self.path), self._leases.shared():
            os.write(self._fd, "".join(key + "\n" for key in keys).encode())


class Leases:
    def __init__(self, root: Path) -> None:
        self._path = root / "leases"

    @contextmanager
    def hold(self, name: str = "") -> Iterator[Lease]:
        """Lend a lease to the body; `name` only tells a reader of the directory what it is for."""
        path, fd = self._create(name)
        try:
            yield Lease(self, path, fd)
        finally:
            path.unlink(missing_ok=True)
            os.close(fd)

    def _create(self, name: str) -> tuple[Path, int]:
        label = "".join(character if character.isalnum() else "-" for character in name)[:64]
        with explained("write to", self._path):
            while True:
                path = self._path / f"{os.urandom(8).hex()}-{label}".rstrip("-")
                fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                fcntl.flock(fd, fcntl.LOCK_EX)
                # A reaper that came between open and flock has removed it.
                if os.fstat(fd).st_nlink:
                    return path, fd
                os.close(fd)

    def held(self) -> set[str]:
        """Return what living holders protect, and remove the leases of dead ones."""
        keys: set[str] = set()
        for name in os.listdir(self._path):
            if name != ".lock":
                keys.update(_read_or_reap(self._path / name))
        return keys

    def shared(self) -> _Lock:
        """Exclude sweeps, not others."""
        return _Lock(self._path / ".lock", fcntl.LOCK_SH)

    def exclusive(self) -> _Lock:
        """Exclude all that would add to a lease: for a sweep, from before it reads leases until it has deleted."""
        return _Lock(self._path / ".lock", fcntl.LOCK_EX)


class _Lock:
    __slots__ = ("_fd", "_how", "_path")

    def __init__(self, path: Path, how: int) -> None:
        self._path = path
        self._how = how
        self._fd = -1

    def __enter__(self) -> None:
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            locks.wait(self._fd, self._how)
        except BaseException:
            os.close(self._fd)
            raise

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)


def _read_or_reap(path: Path) -> list[str]:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    with open(fd, encoding="utf-8") as stream:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return stream.read().splitlines()
        path.unlink(missing_ok=True)
        return []
