"""One blob on its way from an upstream into the storage, read by whoever wants it while it still grows.

Concurrency:  a thread downloads, any number of requests read the file behind it; the event loop owns `_changed`.
Crashes:      the file is in an ingest directory, which goes with the process.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator

import urllib3

from jubako.errors import DataLoss, Unavailable
from jubako.registry.client.repository import Repository
from jubako.registry.client.transport import BLOCK_BYTES, finish
from jubako.registry.server.blobs import Blobs
from jubako.registry.server.refusal import Refused
from jubako.registry.server.state import State
from jubako.spec.oci_image import Digest
from jubako.store import digest as digests

_ATTEMPTS = 3
_LOG = logging.getLogger("jubako.registry")


class Download:
    """`size` is known once `started` is over."""

    def __init__(self, state: State, blobs: Blobs, repository: Repository, name: str, digest: Digest) -> None:
        self._state = state
        self._blobs = blobs
        self._repository = repository
        self._name = name
        self._digest = digest
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._written = 0
        self._error: Exception | None = None
        self._over = False
        self.size = -1
        self._workspace = state.store.ingest.allocate()
        self._path = self._workspace.path / "data"
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._readers = 0
        self.done: asyncio.Future[None] = asyncio.ensure_future(self._run())

    async def started(self) -> None:
        """Return when the upstream has begun to answer; raise what it refused with."""
        while self.size < 0 and not self._over:
            await self._change()
        if self._error is not None:
            raise self._error

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes as they come. The last of them only after the whole was checked; raises what went wrong."""
        position = 0
        self._readers += 1
        try:
            while position < self.size or not self._over:
                # Nobody gets the end of a blob that is not what its digest says.
                is_right = self._over and self._error is None
                known = self._written if is_right else min(self._written, self.size - 1)
                if position < known:
                    data = await self._loop.run_in_executor(None, os.pread, self._fd, BLOCK_BYTES, position)
                    data = data[: known - position]
                    position += len(data)
                    yield data
                elif self._over:
                    break
                else:
                    await self._change()
            if self._error is not None:
                raise self._error
        finally:
            self._readers -= 1
            self._release()

    async def _run(self) -> None:
        try:
            await self._loop.run_in_executor(None, self._download)
        except urllib3.exceptions.HTTPError as error:
            self._error = Unavailable(f"the upstream broke off: {error}")
        except Refused as refused:
            # The bytes are right; a quota has no room for them, so they are passed on and not kept.
            _LOG.warning("%s of %s is not kept: %s", self._digest, self._name, refused)
        # Whatever it is, readers must not take the download for one that succeeded.
        except Exception as error:
            self._error = error
        finally:
            self._over = True
            self._changed.set()
            self._release()

    def _download(self) -> None:
        hasher = digests.hasher(digests.split(self._digest)[0])
        for attempt in range(_ATTEMPTS):
            response, position = self._repository.open_blob(self._digest, offset=self._written)
            try:
                self._begin(int(response.headers.get("Content-Length", "-1")) + position)
                while data := response.read(BLOCK_BYTES):
                    fresh = data[max(0, self._written - position) :]
                    position += len(data)
                    hasher.update(fresh)
                    os.pwrite(self._fd, fresh, self._written)
                    self._written += len(fresh)
                    self._tell()
                finish(response)
                break
            except urllib3.exceptions.HTTPError:
                response.close()
                if attempt == _ATTEMPTS - 1:
                    raise
        if self._written != self.size or hasher.hexdigest() != digests.split(self._digest)[1]:
            raise DataLoss(f"{self._digest}: the upstream sent other bytes")
        self._state.publish(
            self._digest,
            lambda: self._state.storage.place(self._path, self._digest),
            lambda: self._blobs.record(self._name, self._digest, self.size),
        )

    def _begin(self, size: int) -> None:
        if size < 0 or (self.size >= 0 and size != self.size):
            raise DataLoss(f"{self._digest}: the upstream does not say how long it is")
        self.size = size
        self._tell()

    def _tell(self) -> None:
        self._loop.call_soon_threadsafe(self._changed.set)

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    def _release(self) -> None:
        if self._over and not self._readers and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._workspace.close()
