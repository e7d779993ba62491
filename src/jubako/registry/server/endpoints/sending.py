"""Sending a blob's file: from file to socket by sendfile(2), without a thread, without a look at what is beside it."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from aiohttp import web

from jubako.errors import NotFound
from jubako.registry.server.endpoints.ranges import wanted_range

_LOG = logging.getLogger("jubako.registry")


async def send_file(request: web.BaseRequest, path: Path, digest: str, headers: dict[str, str]) -> web.StreamResponse:
    """Answer GET or HEAD with a file, or the range of it that is wanted. NotFound, and Refused for a wrong range."""
    try:
        stream = path.open("rb", buffering=0)
    except FileNotFoundError:
        raise NotFound("blob", digest) from None
    with stream:
        size = os.fstat(stream.fileno()).st_size
        start, end, partial = wanted_range(request, digest, size)
        headers |= {"Content-Length": str(end - start), "Accept-Ranges": "bytes"}
        if partial:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        response = web.StreamResponse(status=206 if partial else 200, headers=headers)
        await response.prepare(request)
        try:
            if request.method == "GET" and end > start and request.transport is not None:
                await asyncio.get_running_loop().sendfile(request.transport, stream, start, end - start)
            await response.write_eof()
        except OSError as error:
            broken_off(request, error)
        return response


def broken_off(request: web.BaseRequest, error: Exception) -> None:
    """Tell the client that its answer is not whole: the status is out, so only a broken connection can say so."""
    if not isinstance(error, ConnectionError):
        _LOG.error("%s %s broke off: %s", request.method, request.path, error)
    if request.transport is not None:
        request.transport.abort()
