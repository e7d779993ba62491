"""The SQLite file of a durable store.

Layout:       DIRECTORY/store.db in WAL mode (docs/internals/cluster-store.md)
              DIRECTORY/store.lock  flocked by the process that owns the store
              DIRECTORY/ballast     space kept back for deletions
                current  what each key holds
                log      by revision, what the key of that write held before: read backwards from `current` it gives
                         every event
                facts    `reserved`: no greater revision has been given out; `compacted`: the log begins after it
Invariant:    a transaction here is a batch of the store; synchronous=FULL, so COMMIT returns when it is on the disk.
Concurrency:  one process, one thread at a time. As nobody reads while the store is open, the log of SQLite never grows
              beyond its limit.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from jubako.cluster.store.model import FIRST_REVISION, Event, Item
from jubako.errors import Conflict, DataLoss, FailedPrecondition
from jubako.linux.locks import try_lock
from jubako.store.ballast import Ballast
from jubako.store.sqlite import explained
from jubako.store.writer import fsync

_VERSION = 1
_SCHEMA = (
    "CREATE TABLE current (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL,"
    " value BLOB NOT NULL)",
    "CREATE TABLE log (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, previous_revision INTEGER, previous BLOB)",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
    f"INSERT INTO facts VALUES ('reserved', {FIRST_REVISION}), ('compacted', 0)",
)
_RESERVE = 10_000
_CACHE_KIB = 2048

_PUT = (
    "INSERT INTO current (key, revision, value) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
    " SET revision = excluded.revision, value = excluded.value"
)
_REMOVE = "DELETE FROM current WHERE key = ?"
_LOG = "INSERT INTO log VALUES (?, ?, ?, ?)"

LogRow = tuple[int, str, int | None, bytes | None]


class Database:
    """`reserved` is not smaller than any revision that was given out. Raises Conflict where another process owns it."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "store.db"
        directory.mkdir(mode=0o700, exist_ok=True)
        lock = try_lock(directory / "store.lock", os.O_RDWR | os.O_CREAT)
        if lock is None:
            raise Conflict(f"another process has the object store {directory} open")
        self._lock = lock
        self._ballast = Ballast(directory / "ballast")
        try:
            with explained(self.path):
                self._ballast.drop_if_low()
                self._connection = _open(self.path)
                # A name in a directory is worth no more than the directory's own.
                for place in (directory, directory.parent):
                    fsync(place)
                self._ballast.refill()
                self.reserved = self._fact("reserved")
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Merge SQLite's log into the file, and let the next owner in."""
        try:
            with explained(self.path):
                self._connection.close()
        finally:
            os.close(self._lock)

    def load(self) -> tuple[list[Item], list[Event], int]:
        """Return the items, the events that are kept, and the revision after which they begin."""
        with explained(self.path):
            items = [Item(*row) for row in self._connection.execute("SELECT key, value, revision FROM current")]
            rows = self._connection.execute("SELECT * FROM log ORDER BY revision DESC")
            events = [*_events({item.key: item for item in items}, rows)]
            return items, events[::-1], self._fact("compacted")

    def commit(self, events: Sequence[Event], through: int, revision: int) -> None:
        """Write durably what the events did, that the log through a revision may go, and that `revision` is taken."""
        if not any(event.current for event in events):
            self._ballast.drop_if_low()  # what removes things must go on where the disk is full
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._write(events)
                if through:
                    self._connection.execute("DELETE FROM log WHERE revision <= ?", (through,))
                    self._set("compacted", through)
                if revision > self.reserved:
                    self._set("reserved", revision + _RESERVE)
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled back already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
        if revision > self.reserved:
            self.reserved = revision + _RESERVE

    def _write(self, events: Sequence[Event]) -> None:
        last = {event.key: event.current for event in events}
        execute = self._connection.executemany
        execute(_PUT, [(item.key, item.revision, item.value) for item in last.values() if item])
        execute(_REMOVE, [(key,) for key, item in last.items() if item is None])
        execute(_LOG, [_undo(event) for event in events])

    def _fact(self, name: str) -> int:
        row = self._connection.execute("SELECT number FROM facts WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise DataLoss(f"the object store {self.path} does not say its revision ({name})")
        return int(row[0])

    def _set(self, name: str, number: int) -> None:
        self._connection.execute("UPDATE facts SET number = ? WHERE name = ?", (number, name))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    try:
        # Alone, SQLite keeps the index of its log to itself. sqlite.org/wal.html, "Use of WAL Without Shared-Memory".
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise FailedPrecondition(
                f"{path} was written by a newer Jubako (format {version}, this one knows {_VERSION})",
                hint="use that version",
            )
        if not version:
            _create(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in (*_SCHEMA, f"PRAGMA user_version={_VERSION}"):
        connection.execute(statement)
    connection.execute("COMMIT")


def _undo(event: Event) -> LogRow:
    previous = event.previous
    return (event.revision, event.key, *((previous.revision, previous.value) if previous else (None, None)))


def _events(current: dict[str, Item], rows: Iterable[LogRow]) -> Iterable[Event]:
    """Turn rows of the log, the latest first, into events; `current` goes back in time with them."""
    for revision, key, previous_revision, previous in rows:
        item = current.pop(key, None)
        if item and item.revision != revision:
            raise DataLoss(f"the object store holds {key} of revision {item.revision}, its log one of {revision}")
        before = None
        if previous is not None and previous_revision is not None:
            current[key] = before = Item(key, previous, previous_revision)
        yield Event(revision, key, item, before)
