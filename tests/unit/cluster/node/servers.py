"""Servers that probes and hooks speak to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from h2.connection import H2Connection


@asynccontextmanager
async def answering(answers: dict[str, bytes], seen: list[bytes] | None = None) -> AsyncIterator[int]:
    """Answer each path with these bytes, and with nothing where there are none; yields the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if seen is not None:
            seen.append(head)
        answer = answers.get(head.split(b" ")[1].decode())
        if answer is None:
            await asyncio.sleep(30)
        writer.write(answer or b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def health(
    states: dict[str, int | tuple[int, str]], port: int = 0, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """A gRPC server that serves Health/Check: the state of each service, or code and message of an error."""
    import h2.config
    import h2.connection
    import h2.events

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        while data := await reader.read(65536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    _answer(connection, states, (event.data or b"")[7:].decode())
            writer.write(connection.data_to_send())
        writer.close()

    server = await asyncio.start_server(serve, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _answer(connection: H2Connection, states: dict[str, int | tuple[int, str]], service: str) -> None:
    state = states.get(service, (5, "unknown service"))
    head = [(":status", "200"), ("content-type", "application/grpc")]
    if isinstance(state, tuple):
        trailers = [("grpc-status", str(state[0])), ("grpc-message", state[1])]
        connection.send_headers(1, [*head, *trailers], end_stream=True)
        return
    connection.send_headers(1, head)
    connection.send_data(1, b"\0\0\0\0\2\x08" + bytes([state]))
    connection.send_headers(1, [("grpc-status", "0")], end_stream=True)
