"""Forwarded ports: for each connection of the client a pair of streams, and a connection to the port in the pod.

Model:        `data` carries the connection, both ways; `error` says why it could not be made. The end of what the pod
              sends is the end of the pair; the end of what the client sends is handed on, and the rest awaited.
Spec:         k8s.io/kubelet/pkg/cri/streaming/portforward.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from jubako.cluster.apiserver.http.streaming.streams import PIECE_BYTES, Stream, StreamReset
from jubako.cluster.apiserver.streams import Ports
from jubako.errors import JubakoError


async def forward(ports: Ports, port: int, data: Stream, error: Stream) -> None:
    """Carry one connection to its end."""
    with suppress(StreamReset):
        try:
            reader, writer = await asyncio.open_connection(sock=await ports.dial(port))
        except (JubakoError, OSError) as failed:
            await error.write(f"error forwarding port {port} to pod {ports.id}, uid : {failed}".encode())
        else:
            await _carry(data, reader, writer)
    for stream in (data, error):
        with suppress(OSError):
            await stream.finish()


async def _carry(data: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    handing = asyncio.create_task(_hand_on(data, writer))
    try:
        while piece := await _read(reader):
            await data.write(piece)
    finally:
        handing.cancel()
        await asyncio.gather(handing, return_exceptions=True)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """A connection that breaks has ended: clients take an error for the end of all that they forward."""
    try:
        return await reader.read(PIECE_BYTES)
    except OSError:
        return b""


async def _hand_on(data: Stream, writer: asyncio.StreamWriter) -> None:
    """Hand on what the client sends; where it resets, the connection in the pod is over."""
    try:
        while piece := await data.read():
            with suppress(OSError):  # the pod reads no more; what it has to say is still awaited
                writer.write(piece)
                await writer.drain()
        writer.write_eof()
    except StreamReset:
        writer.transport.abort()
