"""A watch over HTTP: one line of JSON for each event, until the time is over or the client goes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

from aiohttp import web

from jubako.cluster.apiserver.http.answers import Answers, encode
from jubako.cluster.apiserver.objects.watching import Notice, Watching, watch
from jubako.cluster.store import AsyncStore

_TIMEOUT_S = 1800
LIMITS: web.AppKey[set[asyncio.Timeout]] = web.AppKey("limits")
"""When each watch is over, for whoever ends them all."""


async def stream(
    request: web.Request, store: AsyncStore, asked: Watching, answers: Answers, timeout_s: int
) -> web.StreamResponse:
    """Answer with a watch. Raises Failure before anything is sent."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
    # Clients that came together shall not come back together.
    until = timeout_s or _TIMEOUT_S * (1 + random.random())
    notices = watch(store, asked)
    async with aclosing(notices):
        await anext(notices)
        await response.prepare(request)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(until) as limit, _known(request, limit):
                    async for batch in notices:
                        await response.write(_lines(batch, answers))
            await response.write_eof()
        except ConnectionResetError:  # the client has gone
            pass
    return response


@asynccontextmanager
async def _known(request: web.Request, limit: asyncio.Timeout) -> AsyncIterator[None]:
    limits = request.app[LIMITS]
    limits.add(limit)
    try:
        yield
    finally:
        limits.discard(limit)


async def end_watches(app: web.Application) -> None:
    """End all that there are, as if their time was over."""
    now = asyncio.get_running_loop().time()
    for limit in app[LIMITS]:
        limit.reschedule(now)


def _lines(batch: Sequence[Notice], answers: Answers) -> bytes:
    return b"".join(answers.notice(each.kind, _body(each, answers)) for each in batch)


def _body(notice: Notice, answers: Answers) -> bytes:
    if notice.item is not None:
        return answers.one(notice.item)
    return encode(notice.document or {})
