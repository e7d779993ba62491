"""Pushing a blob: in one request, streamed, in ordered chunks, or mounted from another repository."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack

from aiohttp import web

from jubako.image.reference import is_digest
from jubako.registry.server.access.caller import Caller, pull, push
from jubako.registry.server.endpoints.limits import Limits, limits_of
from jubako.registry.server.refusal import Refused
from jubako.registry.server.registry import Registry, in_thread
from jubako.registry.server.routes import Route
from jubako.registry.server.uploads import Upload
from jubako.spec.distribution import CONTENT_DIGEST_HEADER, UPLOAD_UUID_HEADER, Code, is_repository
from jubako.spec.oci_image import Digest

_WRITE_BYTES = 1 << 20
_CONTENT_RANGE = re.compile(r"(?:bytes[ =])?(\d{1,18})-(\d{1,18})(?:/(?:\d+|\*))?", re.ASCII)


async def start(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """POST: mount, upload in this one request, or begin a session."""
    if "mount" in request.query and await _mount(registry, request, route, caller):
        return _created(route.name, request.query["mount"])
    digest = _digest(request) if "digest" in request.query else None
    session = await in_thread(registry.uploads.start, route.name, caller.user)
    if digest is None:
        return _accepted(route.name, session, 0)
    return await _complete(registry, request, Route("upload", route.name, session), caller, digest)


async def append(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """PATCH: the next bytes, all of them or as Content-Range says."""
    async with AsyncExitStack() as stack:
        upload = await _open(stack, registry, route, caller)
        _check_range(request, route, upload)
        await _receive(request, upload, await in_thread(limits_of, registry, route.name))
        return _accepted(route.name, route.reference, upload.offset)


async def finish(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    """PUT: the last bytes, if any, and the digest that all of them must have."""
    return await _complete(registry, request, route, caller, _digest(request))


async def status(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    offset = await in_thread(registry.uploads.offset, route.name, route.reference, caller.user)
    return _accepted(route.name, route.reference, offset, status=204)


async def cancel(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> web.StreamResponse:
    await in_thread(registry.uploads.cancel, route.name, route.reference, caller.user)
    return web.Response(status=204)


async def _mount(registry: Registry, request: web.BaseRequest, route: Route, caller: Caller) -> bool:
    """Whether the blob is now here.

    Where only the token stands against what its user may do, the client is told to ask for another, as Docker's does.
    """
    digest, source = request.query["mount"], request.query.get("from", "")
    if not is_digest(digest):
        raise Refused(Code.DIGEST_INVALID, "invalid digest", detail={"digest": digest[:256]})
    if source and not is_repository(source):
        return False
    sources = await in_thread(registry.blobs.holders, digest, source)
    for name in sources:
        if registry.guard.allows(caller, pull(name)):
            return await in_thread(registry.blobs.mount, route.name, Digest(digest), name)
    for name in sources:
        registry.guard.ask_for_more(request, caller, push(route.name), pull(name))
    return False


async def _complete(
    registry: Registry, request: web.BaseRequest, route: Route, caller: Caller, digest: Digest
) -> web.StreamResponse:
    async with AsyncExitStack() as stack:
        upload = await _open(stack, registry, route, caller)
        _check_range(request, route, upload)
        await _receive(request, upload, await in_thread(limits_of, registry, route.name, digest))
        await in_thread(registry.uploads.finish, route.name, route.reference, upload, digest)
    return _created(route.name, digest)


async def _open(stack: AsyncExitStack, registry: Registry, route: Route, caller: Caller) -> Upload:
    session = registry.uploads.opened(route.name, route.reference, caller.user)
    upload = await in_thread(session.__enter__)
    stack.push(session.__exit__)
    return upload


async def _receive(request: web.BaseRequest, upload: Upload, limits: Limits) -> None:
    """Append the body: one piece is hashed and written in a thread while the next arrives, and no more is held.

    When the body breaks off, what was received until then stays, and the session's offset says how much that is.
    """
    received = upload.offset
    limits.check(received + (request.content_length or 0))
    await _invite(request)
    pieces: list[bytes] = []
    held = 0
    writing: asyncio.Future[None] | None = None
    try:
        while data := await request.content.readany():
            pieces.append(data)
            held += len(data)
            received += len(data)
            limits.check(received)
            if held >= _WRITE_BYTES:
                if writing is not None:
                    await writing
                writing = asyncio.ensure_future(in_thread(upload.append, b"".join(pieces)))
                pieces, held = [], 0
    finally:
        if writing is not None:
            await asyncio.shield(writing)
        if pieces:
            await asyncio.shield(in_thread(upload.append, b"".join(pieces)))


async def _invite(request: web.BaseRequest) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def _check_range(request: web.BaseRequest, route: Route, upload: Upload) -> None:
    """Refuse a chunk that is not the next one."""
    header = request.headers.get("Content-Range")
    if header is None:
        return
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise Refused(Code.BLOB_UPLOAD_INVALID, "malformed Content-Range", status=416)
    start, end = int(match[1]), int(match[2])
    if start != upload.offset:
        raise Refused(
            Code.BLOB_UPLOAD_INVALID,
            f"the upload has {upload.offset} bytes, so the next chunk must start there",
            status=416,
            headers=_session_headers(route.name, route.reference, upload.offset),
        )
    if request.content_length is not None and end - start + 1 != request.content_length:
        raise Refused(Code.SIZE_INVALID, "Content-Range and Content-Length do not agree")


def _digest(request: web.BaseRequest) -> Digest:
    digest = request.query.get("digest", "")
    if not is_digest(digest):
        raise Refused(Code.DIGEST_INVALID, "invalid or missing digest", detail={"digest": digest[:256]})
    return Digest(digest)


def _session_headers(name: str, session: str, offset: int) -> dict[str, str]:
    return {
        "Location": f"/v2/{name}/blobs/uploads/{session}",
        "Range": f"0-{max(offset - 1, 0)}",
        UPLOAD_UUID_HEADER: session,
    }


def _accepted(name: str, session: str, offset: int, *, status: int = 202) -> web.Response:
    return web.Response(status=status, headers=_session_headers(name, session, offset))


def _created(name: str, digest: str) -> web.Response:
    headers = {"Location": f"/v2/{name}/blobs/{digest}", CONTENT_DIGEST_HEADER: digest}
    return web.Response(status=201, headers=headers)
