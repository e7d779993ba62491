"""One state directory: opened by many processes at once, for next to nothing."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from jubako.errors import NotFound
from jubako.store.blobs import LocalBlobStore
from jubako.store.failure import explained
from jubako.store.ingest import Ingest, spread
from jubako.store.leases import Leases
from jubako.store.partial import Partials
from jubako.store.records import Records
from jubako.store.writer import fsync

# The last one made says that all are there.
_DIRECTORIES = ("ingest", "leases", "layers", "snapshots", "volumes", "blobs", "blobs/sha512", "blobs/sha256")


class Store:
    """The parts of one state directory; make it with `open`. Threads may share it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ingest = Ingest(root)
        self.blobs = LocalBlobStore(root, self.ingest)
        self.records = Records(root)
        self.leases = Leases(root)
        self.partials = Partials(root)

    @classmethod
    def open(cls, root: Path | str, *, create: bool = True) -> Self:
        """Open the store at `root`, making it first if `create`; NotFound, PermissionDenied."""
        root = Path(root)
        if not os.path.isdir(root / _DIRECTORIES[-1]):
            if not create:
                raise NotFound("store", str(root))
            with explained("use the state directory", root):
                _create(root)
        return cls(root)

    def close(self) -> None:
        self.records.close()

    def leave(self) -> None:
        """As `close`, but cheap, for a process that is about to end."""
        self.records.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _create(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite would let everybody read it who can reach it, and a root that somebody else made may be open to all.
    os.close(os.open(root / "jubako.db", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for name in _DIRECTORIES:
        (root / name).mkdir(mode=0o700, exist_ok=True)
        if name == "ingest":
            spread(root / name)
    # A name in a directory is worth no more than the directory's own.
    for directory in (root / "blobs", root, root.parent):
        fsync(directory)
