"""What a client sends -> a document of the kind that belongs there."""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http.parameters import Parameters
from jubako.cluster.types.decoding.body import MAX_BODY_BYTES, MEDIA_TYPES, Decoded, decode
from jubako.cluster.types.document import Object
from jubako.cluster.types.resources import kind
from jubako.cluster.types.served import Kind
from jubako.errors import JubakoError

BODY_S = web.AppKey("body_s", float)
"""How long a client may take to send a body."""
_NO_TYPE = ("", "application/octet-stream", "*/*")


async def read(request: web.Request) -> bytes:
    """Return the body. Raises Failure (400, 413, 504)."""
    try:
        async with asyncio.timeout(request.app[BODY_S]):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise failures.too_large(f"Request entity too large: limit is {MAX_BODY_BYTES}") from None
    except TimeoutError:
        message = "Timeout: request did not complete within the allotted timeout"
        raise failures.failure(504, "Timeout", message) from None
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise failures.bad_request(f"the body of the request can not be read: {error}") from None


async def document(request: web.Request, expected: Kind, asked: Parameters) -> Decoded:
    """Return the document in the body. Raises Failure (400, 413, 415)."""
    body = await read(request)
    media_type = "application/json" if request.content_type in _NO_TYPE else request.content_type
    if media_type not in MEDIA_TYPES:
        message = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(
            MEDIA_TYPES
        )
        raise failures.failure(415, "UnsupportedMediaType", message)
    try:
        return decode(body, expected, media_type=media_type, validation=asked.validation)
    except JubakoError as error:
        raise failures.of(error) from None


async def delete_options(request: web.Request) -> Object:
    """Return the DeleteOptions in the body or the query."""
    body = await read(request)
    if not body:
        query = request.query
        grace = query.get("gracePeriodSeconds", "")
        given: Object = {"gracePeriodSeconds": int(grace)} if grace.isascii() and grace.isdigit() else {}
        return {**given, "propagationPolicy": query.get("propagationPolicy", "")}
    expected = kind("v1", "DeleteOptions")
    assert expected is not None
    media_type = request.content_type if request.content_type in MEDIA_TYPES else "application/json"
    try:
        return decode(body, expected, media_type=media_type, validation="Ignore").document
    except JubakoError as error:
        raise failures.of(error) from None
