"""A remote command: its streams, and the process that they lead to.

Model:        `error` has one Status at the end (from v4 on), or what went wrong as text, or nothing. With a terminal,
              all that the process writes is on stdout, and `resize` has {"Width": …, "Height": …} one after another.
Invariant:    the process is killed when its client goes; the end of stdin is told to it.
Spec:         k8s.io/apimachinery/pkg/util/remotecommand; k8s.io/kubelet/pkg/cri/streaming/remotecommand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from typing import Annotated

import msgspec

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http.answers import encode
from jubako.cluster.apiserver.http.streaming.streams import Stream
from jubako.cluster.apiserver.streams import Session
from jubako.cluster.types.document import JSON, Object, text
from jubako.errors import JubakoError
from jubako.spec import decoding

STDIN, STDOUT, STDERR, ERROR, RESIZE = "stdin", "stdout", "stderr", "error", "resize"
_SIZE_LIMIT_BYTES = 1 << 10
_SUCCESS: Object = {"metadata": {}, "status": "Success"}


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """What to do. `start` raises JubakoError, of what `doing` tells then.

    `tells_code` says that the exit code is the command's, and not of a process that was only looked at.
    """

    start: Callable[[], Awaitable[Session]]
    doing: str
    tells_code: bool


class _Size(msgspec.Struct, frozen=True):
    width: Annotated[int, msgspec.Meta(ge=0, lt=1 << 16)] = msgspec.field(name="Width")
    height: Annotated[int, msgspec.Meta(ge=0, lt=1 << 16)] = msgspec.field(name="Height")


def wanted(*, stdin: bool, stdout: bool, stderr: bool, tty: bool) -> list[str]:
    """Return the streams of a command, by their names, that a client which asks for these has."""
    asked = {STDIN: stdin, STDOUT: stdout, STDERR: stderr and not tty, ERROR: True, RESIZE: tty}
    return [name for name, has in asked.items() if has]


async def run(command: Command, streams: Mapping[str, Stream], *, as_status: bool) -> None:
    """Start the command, carry its streams, and tell how it ended."""
    try:
        code = await _carry(await command.start(), streams)
        ended = _ended(code) if command.tells_code else _SUCCESS
    except JubakoError as error:
        told = f"{command.doing}: {error.message}"
        message = f"Internal error occurred: {told}"
        ended = failures.status_of(500, "InternalError", message, {"causes": [{"message": told}]})
    for name in (STDOUT, STDERR):
        if name in streams:
            await streams[name].finish()
    await streams[ERROR].write(_told(ended, as_status=as_status))
    await streams[ERROR].finish()


async def _carry(session: Session, streams: Mapping[str, Stream]) -> int:
    """Return the exit code, once all that the process wrote is sent."""
    outputs = {1: streams.get(STDOUT), 2: streams.get(STDERR)}
    inputs = [asyncio.create_task(each) for each in _inputs(session, streams)]
    try:
        async for output in session.output():
            if stream := outputs.get(output.stream):
                await stream.write(output.data)
        return await session.exit_code()
    finally:
        for task in inputs:
            task.cancel()
        await asyncio.gather(*inputs, return_exceptions=True)
        await session.close()


def _inputs(session: Session, streams: Mapping[str, Stream]) -> Iterator[Coroutine[None, None, None]]:
    if stdin := streams.get(STDIN):
        yield _feed(session, stdin)
    if resize := streams.get(RESIZE):
        yield _resize(session, resize)


async def _feed(session: Session, stdin: Stream) -> None:
    """Hand stdin on to its end; what a process does not want any more is taken all the same."""
    with suppress(OSError):
        while data := await stdin.read():
            await session.write(data)
        await session.close_input()
    with suppress(OSError):
        while await stdin.read():
            pass


async def _resize(session: Session, resize: Stream) -> None:
    left = b""
    with suppress(OSError):
        while data := await resize.read():
            *sizes, left = (left + data).split(b"}")
            for size in sizes:
                with suppress(msgspec.MsgspecError):
                    found = decoding.decode(size + b"}", _Size)
                    await session.resize(found.height, found.width)
            left = left[-_SIZE_LIMIT_BYTES:]


def _ended(code: int) -> Object:
    if code == 0:
        return _SUCCESS
    cause: JSON = {"reason": "ExitCode", "message": str(code)}
    message = f"command terminated with non-zero exit code: exit status {code}"
    return failures.status_of(500, "NonZeroExitCode", message, {"causes": [cause]})


def _told(ended: Object, *, as_status: bool) -> bytes:
    return encode(ended) if as_status else text(ended.get("message")).encode()
