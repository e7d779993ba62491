"""Users and passwords from an htpasswd file with bcrypt hashes, read again whenever it changes."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections import OrderedDict
from pathlib import Path

from jubako.errors import InvalidArgument

# bcrypt uses the first 72 bytes, and htpasswd(1) cuts there.
_BCRYPT_LIMIT_BYTES = 72
_REMEMBERED = 256
# Compared with when a user is unknown, so that the answer takes as long: bcrypt of a random password.
_NOBODY = b"$2b$10$zJdxwFYyNI563ITagv8B9.teXbQPXb5vr4AJfeG3SbGjXqv03TAFW"


class Htpasswd:
    """Threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._hashes: dict[str, bytes] = {}
        self._lock = threading.Lock()
        # bcrypt is slow by design: what was right once is remembered, as a keyed hash, until the file changes.
        self._key = os.urandom(32)
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._reload()

    def check(self, user: str, password: str) -> bool:
        """Whether the file has this user with this password; slow the first time."""
        with self._lock:
            self._reload()
            expected = self._hashes.get(user)
            proof = hmac.digest(self._key, f"{user}\0{password}".encode(), "sha256")
            if proof in self._known:
                return True
        if not _matches(password, expected or _NOBODY) or expected is None:
            return False
        self._remember(proof)
        return True

    def fingerprint(self, user: str) -> str | None:
        """A text that changes with the user's password; None for an unknown user."""
        with self._lock:
            self._reload()
            encoded = self._hashes.get(user)
        return hashlib.sha256(encoded).hexdigest() if encoded is not None else None

    def _remember(self, proof: bytes) -> None:
        with self._lock:
            self._known[proof] = None
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def _reload(self) -> None:
        status = os.stat(self._path)
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            self._hashes = _read(self._path)
            self._known.clear()
            self._key = os.urandom(32)
            self._stamp = stamp


def _read(path: Path) -> dict[str, bytes]:
    hashes: dict[str, bytes] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        user, colon, encoded = line.strip().partition(":")
        if not (user and colon and encoded.startswith(("$2a$", "$2b$", "$2y$"))):
            raise InvalidArgument(
                f"{path}, line {number}: not `user:bcrypt-hash`", hint=f"make it with: htpasswd -B {path} USER"
            )
        hashes[user] = encoded.encode()
    return hashes


def _matches(password: str, expected: bytes) -> bool:
    import bcrypt

    try:
        return bcrypt.checkpw(password.encode()[:_BCRYPT_LIMIT_BYTES], expected)
    except ValueError:
        return False
