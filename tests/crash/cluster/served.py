"""A process that owns a durable store and serves it on a socket, to be killed. served.py DIRECTORY SOCKET

Messages are msgpack behind their length. A connection carries requests one after another, or one watch.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from jubako.cluster.store import AsyncStore, DurableStore, Event, Item, Options, Retention, StaleRevision
from jubako.errors import JubakoError, NotFound

EPHEMERAL = "/leases/"
SLOW = b"slow"
"""The value of a watch that reads now and then."""
# So little is kept that such watches do fall behind.
OPTIONS = Options(ephemeral={EPHEMERAL: 2.0}, keep=Retention(age_s=1, events=400, grace_s=0.05))


class Request(msgspec.Struct, array_like=True):
    act: str
    key: str = ""
    value: bytes = b""
    revision: int = 0


class Reply(msgspec.Struct, array_like=True):
    """`revision` is that of the store, of a list, or up to which a watch is complete."""

    error: str = ""
    events: Sequence[Event] = ()
    items: Sequence[Item] = ()
    revision: int = 0


async def send(writer: asyncio.StreamWriter, message: Request | Reply) -> None:
    data = msgspec.msgpack.encode(message)
    writer.write(len(data).to_bytes(4, "big") + data)
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> bytes:
    """Raises IncompleteReadError when the other side has gone."""
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))


async def answer(store: AsyncStore, request: Request) -> Reply:
    key, value, revision = request.key, request.value, request.revision
    match request.act:
        case "create":
            return Reply(events=[await store.create(key, value)])
        case "update":
            return Reply(events=[await store.update(key, value, revision)])
        case "delete":
            return Reply(events=[await store.delete(key, revision)])
        case "get":
            at = store.revision  # before the look: the item may be newer, never older
            try:
                return Reply(items=[store.get(key)], revision=at)
            except NotFound:
                return Reply(revision=at)
        case "list":
            page = store.list(key)
            return Reply(items=page.items, revision=page.revision)
        case "compact":
            await store.compact(revision)
            return Reply()
    raise AssertionError(request)


async def watch(store: AsyncStore, request: Request, writer: asyncio.StreamWriter) -> None:
    try:
        with store.watch(request.key, request.revision) as watching:
            while True:
                events = await watching.batch(timeout_s=0.05)
                await send(writer, Reply(events=events, revision=watching.revision))
                if request.value == SLOW:
                    await asyncio.sleep(0.3)
    except JubakoError as error:
        await send(writer, Reply(error=type(error).__name__))


async def serve(store: AsyncStore, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            request = msgspec.msgpack.decode(await receive(reader), type=Request)
            if request.act == "watch":
                await watch(store, request, writer)
            else:
                try:
                    reply = await answer(store, request)
                except JubakoError as error:
                    current = [error.current] if isinstance(error, StaleRevision) else []
                    reply = Reply(error=type(error).__name__, items=current)
                await send(writer, reply)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(directory: Path, socket: str) -> None:
    store = AsyncStore(DurableStore(directory, OPTIONS))
    server = await asyncio.start_unix_server(lambda reader, writer: serve(store, reader, writer), socket)
    print("ready", flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
