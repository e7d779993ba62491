"""Threads beside the one that makes system calls: one that runs ahead of it, one that works behind it.

Inflating, compressing and hashing release the interpreter lock, as system calls do, so both sides really run at once.
Concurrency: one producer and one consumer to a channel, with at most DEPTH chunks between them. Leaving the context
             ends the thread, whatever either side is doing.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import BinaryIO, Self

from jubako.store import digest as digests

_DEPTH = 8


class Channel:
    """Chunks from one thread to another."""

    def __init__(self) -> None:
        self._ready: deque[bytes] = deque()
        self._change = threading.Condition()
        self._ended = False
        self._stopped = False

    def put(self, chunk: bytes) -> bool:
        """Hand over a chunk, when there is room; False when nobody wants it any more."""
        with self._change:
            while len(self._ready) >= _DEPTH and not self._stopped:
                self._change.wait()
            self._ready.append(chunk)
            self._change.notify()
            return not self._stopped

    def get(self) -> bytes | None:
        """The next chunk; None after the last."""
        with self._change:
            while not self._ready and not self._ended:
                self._change.wait()
            if not self._ready:
                return None
            chunk = self._ready.popleft()
            self._change.notify()
            return chunk

    def end(self) -> None:
        """The producer has no more."""
        with self._change:
            self._ended = True
            self._change.notify()

    def stop(self) -> None:
        """The consumer wants no more."""
        with self._change:
            self._stopped = True
            self._change.notify()


class Ahead(Iterator[bytes]):
    """Makes and digests chunks in a thread. An error of theirs is raised here, after what came before it."""

    def __init__(self, chunks: Iterator[bytes], algorithm: str = "sha256") -> None:
        self._chunks = chunks
        self._algorithm = algorithm
        self._hash = digests.hasher(algorithm)
        self._channel = Channel()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._produce, name="layer-ahead", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.stop()
        self._thread.join()

    def __next__(self) -> bytes:
        chunk = self._channel.get()
        if chunk is not None:
            return chunk
        if self._error:
            raise self._error
        raise StopIteration

    def digest(self) -> str:
        """The digest of all chunks; only after the last one."""
        return f"{self._algorithm}:{self._hash.hexdigest()}"

    def _produce(self) -> None:
        try:
            for chunk in self._chunks:
                self._hash.update(chunk)
                if not self._channel.put(chunk):
                    return
        except BaseException as error:
            self._error = error
        finally:
            self._channel.end()


class Behind:
    """Calls `consume` with each chunk in a thread. Its error is raised by the next call, or when the context ends."""

    def __init__(self, consume: Callable[[bytes], object]) -> None:
        self._consume = consume
        self._channel = Channel()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="layer-behind", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __call__(self, chunk: bytes) -> None:
        if not self._channel.put(chunk) and self._error:
            raise self._error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._channel.stop()
        self._channel.end()
        self._thread.join()
        if kind is None and self._error:
            raise self._error

    def _run(self) -> None:
        try:
            while (chunk := self._channel.get()) is not None:
                self._consume(chunk)
        except BaseException as error:
            self._error = error
            self._channel.stop()


@contextmanager
def piped(produce: Callable[[BinaryIO], object]) -> Iterator[BinaryIO]:
    """Lend what `produce` writes in a thread. What it fails with is raised, whatever the body made of its part."""
    failure: list[BaseException] = []

    def run() -> None:
        try:
            with out:
                produce(out)
        except BrokenPipeError:
            pass  # the body has stopped before the end, and says why
        except BaseException as error:
            failure.append(error)

    reader, writer = os.pipe()
    with open(writer, "wb") as out, open(reader, "rb") as stream:
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield stream
        finally:
            stream.close()
            thread.join()
            if failure:
                raise failure[0] from None
