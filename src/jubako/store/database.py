"""The SQLite database beneath the records: its schema and its connections.

Layout:       jubako.db in WAL mode; PRAGMA user_version is the schema's version
Concurrency:  many processes; one connection for each object, opened when it is first needed, shared by threads under a
              lock. A connection never crosses fork: a child that uses its parent's object gets its own. Writers wait
              for their turn: those of one process for a lock, those of many by trying again after a sleep.
Endings:      `close` merges the log into the database when nobody else has it open; `leave` is for a process that ends.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jubako.errors import FailedPrecondition
from jubako.store.ballast import Ballast
from jubako.store.sqlite import explained

_BUSY_TIMEOUT_S = 30.0
# Who comes after a process that left the log reads all of it first: 0.3 ms for this many pages.
_LOG_PAGES = 128
# Connections that this process must not close: left ones, and its parent's, whose locks and log that would touch.
_open_for_ever: list[sqlite3.Connection] = []
# Whose turn it is to write, by database: one that has to sleep until it tries again wakes long after the other is done.
_turns: dict[Path, threading.RLock] = {}

# One entry for each version: the statements that lead to it from the one before. Entries are never edited.
_MIGRATIONS = (
    (
        "CREATE TABLE records (collection TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,"
        " PRIMARY KEY (collection, key))",
        "CREATE TABLE uniques (collection TEXT NOT NULL, text TEXT NOT NULL, key TEXT NOT NULL,"
        " PRIMARY KEY (collection, text)) WITHOUT ROWID",
        "CREATE INDEX uniques_by_key ON uniques (collection, key)",
    ),
)
SCHEMA_VERSION = len(_MIGRATIONS)

_OUTER = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_NESTED = ("SAVEPOINT nested", "RELEASE nested", ("ROLLBACK TO nested", "RELEASE nested"))


class Database:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.ballast = Ballast(path.with_name("ballast"))
        self._lock = threading.RLock()
        self._turn = _turns.setdefault(path.absolute(), threading.RLock())
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._depth = 0
        self._must_last = False

    def close(self) -> None:
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
                self._connection = None
                self._settle()

    def leave(self) -> None:
        """End the use of the database as a kill would, but durably; for a process that is about to end.

        Closing costs the last process four syncs, to merge the log and to delete it, and the next one two, to make it
        anew. Left, the log is synced once, if anything was written that must last, and who comes next goes on with it.
        https://sqlite.org/wal.html, "Avoiding Excessively Large WAL Files" and "Recovery".
        """
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            _open_for_ever.append(connection)
            if self._pid == os.getpid():
                self._settle()

    def _settle(self) -> None:
        """Have on disk what must last; where the log was merged, as the last close does, it is there."""
        if self._must_last:
            self._must_last = False
            with explained(self.path):
                self._sync_log()

    def _sync_log(self) -> None:
        try:
            fd = os.open(f"{self.path}-wal", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return  # merged and deleted by somebody's close: that synced it
        try:
            os.fdatasync(fd)
        finally:
            os.close(fd)

    def execute(self, statement: str, *parameters: str | bytes) -> list[tuple[object, ...]]:
        """Run one statement and return all of its rows."""
        with self._lock, explained(self.path):
            return self._connect().execute(statement, parameters).fetchall()

    def change(self, statement: str, *parameters: str | bytes, lasting: bool) -> int:
        """Run one statement and return how many rows it changed; one not `lasting` may be undone by a power cut."""
        with self._lock, explained(self.path):
            self._must_last |= lasting
            return self._connect().execute(statement, parameters).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the body in one write transaction, or as a part of the enclosing one that can fail alone."""
        with self._lock, self._turn, explained(self.path):
            connection = self._connect()
            begin, commit, rollback = _NESTED if self._depth else _OUTER
            self._depth += 1
            try:
                # An interrupt that comes while it waits for its turn is raised when it has begun.
                connection.execute(begin)
                yield
                connection.execute(commit)
            except BaseException:
                # A full disk may have rolled back already.
                if connection.in_transaction:
                    for statement in rollback:
                        connection.execute(statement)
                raise
            finally:
                self._depth -= 1

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():
            if self._connection is not None:
                _open_for_ever.append(self._connection)
                self._depth = 0
            self._connection = self._open()
            self._pid = os.getpid()
        return self._connection

    def _open(self) -> sqlite3.Connection:
        self.ballast.drop_if_low()
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            connection.close()
            raise FailedPrecondition(
                f"{self.path} was written by a newer Jubako (schema {version}, this one knows {SCHEMA_VERSION})",
                hint="use that version, or another place with --root",
            )
        if version < SCHEMA_VERSION:
            _migrate(connection, self.path.parent)
        self.ballast.refill()
        return connection


def _migrate(connection: sqlite3.Connection, directory: Path) -> None:
    """Bring the schema up to date; the change to WAL does not wait for others by itself, so they wait here."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        for statements in _MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        os.close(fd)
