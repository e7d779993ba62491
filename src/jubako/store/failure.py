"""What a failing file system or database means to a caller: OSError and sqlite3.Error become kinds.

Every message names the path and says what to try.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from jubako.errors import DataLoss, JubakoError, PermissionDenied, ResourceExhausted, Unavailable

_KINDS: dict[int, tuple[type[JubakoError], str]] = {
    errno.ENOSPC: (ResourceExhausted, "free some space there: `jubako system prune` removes what nothing uses"),
    errno.EDQUOT: (ResourceExhausted, "the disk quota is used up: free some space or raise the quota"),
    errno.EMFILE: (ResourceExhausted, "raise the limit of open files (ulimit -n)"),
    errno.EACCES: (PermissionDenied, "run as the user who owns it, or name another place with --root"),
    errno.EPERM: (PermissionDenied, "run as the user who owns it, or name another place with --root"),
    errno.EROFS: (PermissionDenied, "the file system is mounted read-only: name another place with --root"),
    errno.EIO: (DataLoss, "the disk reports an error: see the kernel log"),
    errno.ESTALE: (Unavailable, "the network file system lost the file: try again"),
}


@contextmanager
def explained(action: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an OSError of the body that has a meaning into its kind; any other passes as it is."""
    try:
        yield
    except OSError as error:
        explain(error, action, path)
        raise


def explain(error: OSError, action: str, path: str | os.PathLike[str]) -> None:
    """Raise the kind that `error` means while doing `action` on `path`, if it has one."""
    if error.errno in _KINDS:
        kind, hint = _KINDS[error.errno]
        raise kind(f"cannot {action} {os.fspath(path)}: {os.strerror(error.errno)}", hint=hint) from error
