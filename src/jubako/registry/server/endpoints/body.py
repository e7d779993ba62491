"""Small request bodies: whole, and never more of them in memory than their limit."""

from __future__ import annotations

from aiohttp import web

from jubako.registry.server.refusal import Refused
from jubako.spec.distribution import Code


async def read_body(request: web.BaseRequest, limit: int, what: str) -> bytes:
    """Return the body. Refused with 413, before it is read where its length says so, when it is over the limit."""
    data = bytearray()
    if (request.content_length or 0) <= limit:
        while chunk := await request.content.readany():
            data += chunk
            if len(data) > limit:
                break
        else:
            return bytes(data)
    raise Refused(Code.MANIFEST_INVALID, f"{what} may have at most {limit} bytes", status=413)
