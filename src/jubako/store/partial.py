"""Blobs on their way in, one download for all who want them.

Layout:       partial/<algorithm>-<hex>    flocked exclusively by whoever is downloading it
Invariant:    what is here is a beginning of the blob, up to the first hole; it is hashed before it gets its name.
Concurrency:  many processes; who comes second waits, and finds the blob, or goes on where the first broke off.
Killed:       the beginning stays for the next pull, or for a sweep.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jubako.errors import DataLoss, ResourceExhausted
from jubako.linux.locks import abandoned, try_lock
from jubako.spec.oci_image import Digest
from jubako.store import digest as digests
from jubako.store.failure import explained
from jubako.store.writer import fsync

_PIECE_BYTES = 1 << 20


class Partial:
    """One blob in the making: `have` bytes of it, from its beginning on, are here and hashed."""

    def __init__(self, fd: int, path: Path, digest: Digest, size: int) -> None:
        self._fd = fd
        self._path = path
        self._digest = digest
        self._algorithm = digests.split(digest)[0]
        self.size = size
        self.have = 0
        self._hash = digests.hasher(self._algorithm)
        if os.fstat(fd).st_size > size:
            self.restart()

    def restart(self) -> None:
        """Begin anew, without what is here."""
        os.ftruncate(self._fd, 0)
        self.have = 0
        self._hash = digests.hasher(self._algorithm)

    def catch_up(self) -> None:
        """Hash what follows `have` and is here already: what write_at brought, or a process that is gone."""
        end = _end_of_data(self._fd, self.have)
        while self.have < end and (data := os.pread(self._fd, min(_PIECE_BYTES, end - self.have), self.have)):
            self._hash.update(data)
            self.have += len(data)

    def write(self, data: memoryview) -> None:
        """Append to the beginning that is here."""
        self.write_at(self.have, data)
        self._hash.update(data)
        self.have += len(data)

    def write_at(self, offset: int, data: memoryview) -> None:
        """Bring a piece from further on; catch_up() when all are here. Several threads may call this."""
        done = 0
        with explained("write to", self._path):
            while done < len(data):
                done += os.pwrite(self._fd, data[done:], offset + done)

    def verify(self) -> None:
        """DataLoss unless what is here is the whole blob."""
        found = f"{self._algorithm}:{self._hash.hexdigest()}"
        if self.have != self.size or found != self._digest:
            raise DataLoss(f"blob does not match its digest: {self._digest} was expected, {found} arrived")

    def commit(self, target: Path) -> None:
        """Give the blob its name, durably; DataLoss as verify()."""
        self.verify()
        with explained("write to", self._path):
            os.fsync(self._fd)
            # Over one that is there already: that may be damaged, and this is not.
            os.rename(self._path, target)
            fsync(target.parent)


class Partials:
    def __init__(self, root: Path) -> None:
        self._directory = root / "partial"

    @contextmanager
    def claim(self, digest: Digest, size: int, waiting: Callable[[int], None]) -> Iterator[Partial]:
        """Lend the one place to download `digest` to; look whether the blob exists once you have it.

        While another has it, `waiting` is called again and again with the bytes that are here: it pauses, or raises.
        What cannot become the blob (wrong bytes, a full disk) is deleted; what broke off stays.
        """
        path = self.path(digest)
        fd = self._lock(path, waiting)
        try:
            yield Partial(fd, path, digest, size)
        except (DataLoss, ResourceExhausted) as error:
            # A registry's own limits have no OSError beneath: what they allowed stays.
            if isinstance(error, DataLoss) or isinstance(error.__cause__, OSError):
                path.unlink(missing_ok=True)
            raise
        finally:
            if not os.fstat(fd).st_size:
                path.unlink(missing_ok=True)
            os.close(fd)

    def path(self, digest: Digest) -> Path:
        """Where it is downloaded to."""
        algorithm, encoded = digests.split(digest)
        return self._directory / f"{algorithm}-{encoded}"

    def reap(self) -> int:
        """Delete what nobody is downloading and return the bytes that it took."""
        freed_bytes = 0
        with suppress(FileNotFoundError):
            for path, fd in abandoned(self._directory, os.O_RDWR):
                freed_bytes += os.fstat(fd).st_blocks * 512
                path.unlink(missing_ok=True)
        return freed_bytes

    def _lock(self, path: Path, waiting: Callable[[int], None]) -> int:
        with explained("write to", self._directory):
            self._directory.mkdir(mode=0o700, exist_ok=True)
            while (fd := try_lock(path, os.O_RDWR | os.O_CREAT)) is None:
                try:
                    # Not the size, which is the whole one's as soon as the last range has begun.
                    waiting(path.stat().st_blocks * 512)
                except FileNotFoundError:
                    continue
            return fd


def _end_of_data(fd: int, start: int) -> int:
    """Where the first hole after `start` begins; the end of the file, where there is none."""
    try:
        return os.lseek(fd, start, os.SEEK_HOLE)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return start
        raise
