"""What a failure of SQLite means to a caller."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jubako.errors import DataLoss, JubakoError, PermissionDenied, ResourceExhausted, Unavailable
from jubako.store.failure import explain

# SQLite takes its shared memory and its log in pieces of this size.
_WANTED_BYTES = 32 << 10

_KINDS: dict[int, tuple[type[JubakoError], str]] = {
    sqlite3.SQLITE_FULL: (ResourceExhausted, "free some space: `jubako system prune` removes what nothing uses"),
    sqlite3.SQLITE_NOMEM: (ResourceExhausted, "out of memory"),
    sqlite3.SQLITE_READONLY: (PermissionDenied, "it is read-only: name another place with --root"),
    sqlite3.SQLITE_CANTOPEN: (PermissionDenied, "it cannot be opened or made there: name another place with --root"),
    sqlite3.SQLITE_PERM: (PermissionDenied, "run as the user who owns it"),
    sqlite3.SQLITE_BUSY: (Unavailable, "another process holds it for very long: see who with `fuser`"),
    sqlite3.SQLITE_CORRUPT: (DataLoss, "the database is damaged: restore it from a backup"),
    sqlite3.SQLITE_NOTADB: (DataLoss, "this is not a database of Jubako"),
    sqlite3.SQLITE_IOERR: (Unavailable, "the disk is full or failing: see `df` and the kernel log"),
}

_HAVE_A_CAUSE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the failures of SQLite and the file system that have a meaning into their kinds; `path` is the database."""
    try:
        yield
    except OSError as error:
        explain(error, "use the database", path)
        raise
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _HAVE_A_CAUSE and (cause := _cause(path.parent)):
            explain(OSError(cause, os.strerror(cause)), "use the database", path)
        kind, hint = _KINDS.get(code, (None, ""))
        if kind is None:
            raise
        raise kind(f"cannot use the database {path}: {error}", hint=hint) from error


def _cause(directory: Path) -> int:
    """Which errno SQLite met in `directory` and does not tell; 0 where there is no sign of one."""
    try:
        status = os.statvfs(directory)
    except OSError as error:
        return error.errno or 0
    if status.f_flag & os.ST_RDONLY:
        return errno.EROFS
    if not os.access(directory, os.W_OK | os.X_OK):
        return errno.EACCES
    return errno.ENOSPC if status.f_bavail * status.f_frsize < _WANTED_BYTES else 0
