"""Unfinished uploads: files that grow in strict order until a digest names them.

Layout:       uploads/<id>    the bytes so far; flocked by the request that writes. A record says whose it is.
Invariant:    the offset of a session is the length of its file, whoever asks and whatever died.
Concurrency:  many processes; one request at a time for each session. Hash states live in memory, by offset, and are
              made again from the file where they are missing (another process, a restart).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.errors import Conflict, NotFound
from jubako.linux import locks
from jubako.registry.server.blobs import Blobs
from jubako.registry.server.documents import UploadSession
from jubako.registry.server.refusal import Refused
from jubako.registry.server.state import State
from jubako.spec.distribution import Code
from jubako.spec.oci_image import Digest
from jubako.store.failure import explained

if TYPE_CHECKING:
    from hashlib import _Hash

LIFETIME_S = 24 * 3600.0
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_REMEMBERED_HASHES = 256
_CHUNK_BYTES = 1 << 20


class Upload:
    """One session, locked for one request. One thread at a time."""

    def __init__(self, path: Path, fd: int, remembered: tuple[int, _Hash] | None) -> None:
        self.path = path
        self._fd = fd
        self.offset = os.fstat(fd).st_size
        self.is_over = False
        self._hash = remembered[1] if remembered and remembered[0] == self.offset else _hash_file(fd, "sha256")

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of `data` at the end. When that fails the session keeps what it had before."""
        with memoryview(data) as view:
            done = 0
            try:
                with explained("write to", self.path):
                    while done < len(view):
                        done += os.pwrite(self._fd, view[done:], self.offset + done)
            except BaseException:
                os.ftruncate(self._fd, self.offset)
                raise
            self._hash.update(view)
        self.offset += len(data)

    def remember(self) -> tuple[int, _Hash]:
        return self.offset, self._hash

    def verify(self, digest: Digest) -> None:
        """Refuse unless the bytes are those that `digest` names."""
        algorithm, _, encoded = digest.partition(":")
        actual = (self._hash if algorithm == "sha256" else _hash_file(self._fd, algorithm)).hexdigest()
        if actual != encoded:
            raise Refused(
                Code.DIGEST_INVALID,
                "provided digest did not match uploaded content",
                detail={"digest": digest, "actual": f"{algorithm}:{actual}"},
            )


class Uploads:
    def __init__(self, state: State, blobs: Blobs) -> None:
        self._state = state
        self._blobs = blobs
        self._hashes: OrderedDict[str, tuple[int, _Hash]] = OrderedDict()

    def start(self, name: str, user: str) -> str:
        """Begin a session and return its ID."""
        session = os.urandom(16).hex()
        path = self._state.uploads_path / session
        with explained("write to", path):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        self._state.write.uploads.insert(session, UploadSession(name, user))
        return session

    def offset(self, name: str, session: str, user: str) -> int:
        """Return how many bytes the session has; NotFound unless it is this user's and this repository's."""
        return os.stat(self._path(name, session, user)).st_size

    @contextmanager
    def opened(self, name: str, session: str, user: str) -> Iterator[Upload]:
        """Lend the session to one request; Conflict when another has it."""
        path = self._path(name, session, user)
        fd = _lock(path, session)
        try:
            upload = Upload(path, fd, self._hashes.pop(session, None))
            try:
                yield upload
            finally:
                self._remember(session, upload)
        finally:
            os.close(fd)

    def finish(self, name: str, session: str, upload: Upload, digest: Digest) -> None:
        """Make the bytes a blob of repository `name`, durably; a session with the wrong bytes is over."""
        try:
            upload.verify(digest)
            self._state.publish(
                digest,
                lambda: self._state.storage.place(upload.path, digest),
                lambda: self._blobs.record(name, digest, upload.offset),
            )
        finally:
            upload.is_over = True
            self._forget(session)

    def cancel(self, name: str, session: str, user: str) -> None:
        """Drop the session and its bytes; NotFound, Conflict."""
        os.close(_lock(self._path(name, session, user), session))
        self._forget(session)

    def expire(self, lifetime_s: float = LIFETIME_S) -> int:
        """Drop the sessions that nobody has written to for so long, and say how many."""
        dropped = 0
        for entry in list(os.scandir(self._state.uploads_path)):
            try:
                if self._state.clock() - entry.stat(follow_symlinks=False).st_mtime < lifetime_s:
                    continue
                os.close(_lock(Path(entry.path), entry.name))
            except (FileNotFoundError, NotFound, Conflict):
                continue
            self._forget(entry.name)
            dropped += 1
        # A record comes after its file: without one, whoever dropped the session died in between.
        for session in self._state.read.uploads.keys():
            if not (self._state.uploads_path / session).exists():
                self._forget(session)
        return dropped

    def _path(self, name: str, session: str, user: str) -> Path:
        if _ID.fullmatch(session):
            owner = self._state.read.uploads.find(session)
            path = self._state.uploads_path / session
            if owner == UploadSession(name, user) and path.exists():
                return path
        raise NotFound("upload", session)

    def _forget(self, session: str) -> None:
        self._hashes.pop(session, None)
        (self._state.uploads_path / session).unlink(missing_ok=True)
        self._state.write.uploads.delete(session)

    def _remember(self, session: str, upload: Upload) -> None:
        if upload.is_over:
            return
        self._hashes[session] = upload.remember()
        while len(self._hashes) > _REMEMBERED_HASHES:
            self._hashes.popitem(last=False)


def _lock(path: Path, session: str) -> int:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise NotFound("upload", session) from None
    if not locks.take(fd):
        os.close(fd)
        raise Conflict("another request is writing to this upload")
    return fd


def _hash_file(fd: int, algorithm: str) -> _Hash:
    state = hashlib.new(algorithm)
    offset = 0
    while data := os.pread(fd, _CHUNK_BYTES, offset):
        state.update(data)
        offset += len(data)
    return state
