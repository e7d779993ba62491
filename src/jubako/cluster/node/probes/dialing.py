"""Connections, and how Go names what is wrong with them: these are the words that people search for."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from jubako.cluster.types.document import JSON, Object, integer, objects

Streams: TypeAlias = "tuple[asyncio.StreamReader, asyncio.StreamWriter]"
_LIMIT_BYTES = 1 << 16


class Failed(Exception):
    """A look that failed; the text says why."""


@asynccontextmanager
async def dialed(host: str, port: int, *, secure: bool = False) -> AsyncIterator[Streams]:
    """Be connected while this lasts; with `secure` by TLS, with whoever answers. Raises Failed."""
    context = _unchecked() if secure else None
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_LIMIT_BYTES)
    except ssl.SSLError as error:
        raise Failed(f"tls: {(error.reason or 'handshake failure').lower().replace('_', ' ')}") from None
    except OSError as error:
        raise Failed(f"dial tcp {joined(host, port)}: connect: {named(error)}") from None
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def named(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno and error.errno > 0 else str(error)


def joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def port_of(container: Object, port: JSON) -> int:
    """Return a port by its number, or its name among the container's. Raises Failed."""
    if isinstance(port, int):
        return port
    for each in objects(container.get("ports")):
        if each.get("name") == port:
            return integer(each.get("containerPort"))
    if isinstance(port, str) and port.isdecimal():
        return int(port)
    raise Failed(f"couldn't find port: {port}")


def _unchecked() -> ssl.SSLContext:
    """A probe asks whether something answers, not who."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
