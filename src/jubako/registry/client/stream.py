"""Bytes of a blob from one source, as a stream that is taken up again where it broke off."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING

import urllib3

from jubako.errors import DataLoss, Unavailable
from jubako.registry.client.transport import BLOCK_BYTES, finish

if TYPE_CHECKING:
    from jubako.registry.client.repository import Repository
    from jubako.spec.oci_image import Descriptor

# A connection that brought this much was worth it: the count of failures starts again.
_WORTHWHILE_BYTES = 4 << 20

Put = Callable[[int, memoryview], None]
"""Takes a piece and the offset that it has in the blob."""


class Cancelled(Exception):
    """Another part of the same operation has failed; nobody waits for this one."""


class NoRanges(Exception):
    """The registry answers a request for a part with the whole."""


class Transfer:
    """One blob of one repository."""

    def __init__(self, repository: Repository, blob: Descriptor, cancel: Event) -> None:
        self._repository = repository
        self._blob = blob
        self._cancel = cancel
        self._shown = f"{repository.name}@{blob.digest}"

    def run(self, start: int, end: int, put: Put) -> None:
        """Bring the bytes from `start` to `end`. Raises DataLoss, Unavailable, NoRanges for a part; Cancelled."""
        failures, position = 0, start
        session = self._repository.session

        def keep(offset: int, data: memoryview) -> None:
            nonlocal position
            if offset + len(data) > position:
                put(offset, data)
                position = offset + len(data)

        while position < end:
            begun = position
            try:
                self._continue(position, end, keep)
            except urllib3.exceptions.HTTPError as error:
                if self._cancel.is_set():
                    raise Cancelled from error
                failures = 0 if position - begun >= _WORTHWHILE_BYTES else failures + 1
                if failures > session.options.retries:
                    raise Unavailable(
                        f"{self._shown}: the download keeps breaking off, "
                        f"last after {position} of {self._blob.size} bytes: {error}"
                    ) from error
                session.wait(failures)

    def _continue(self, start: int, end: int, put: Put) -> None:
        is_part = end < self._blob.size
        response, position = self._repository.open_blob(self._blob.digest, offset=start, end=end if is_part else None)
        try:
            if is_part and response.status == 200:
                raise NoRanges
            self._check_length(response, position, end)
            while data := response.read(BLOCK_BYTES):
                if self._cancel.is_set():
                    raise Cancelled
                if position + len(data) > end:
                    raise DataLoss(f"{self._shown}: more than the {self._blob.size} bytes that it must have")
                put(position, memoryview(data))
                position += len(data)
        except BaseException:
            response.close()
            raise
        finish(response)
        if position < end:
            raise DataLoss(f"{self._shown}: ended after {position} of {end} bytes")

    def _check_length(self, response: urllib3.BaseHTTPResponse, position: int, end: int) -> None:
        """Do not read a gigabyte to learn that it is not what was promised."""
        length = response.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and position + int(length) != end:
            raise DataLoss(
                f"{self._shown}: the registry has {position + int(length)} bytes, the manifest says {self._blob.size}"
            )
