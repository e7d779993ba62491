"""A watch over HTTP: one line of JSON for each event, until the time is over or the client goes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing, suppress

from aiohttp import web

from jubako.cluster.apiserver.http.answers import Answers, encode
from jubako.cluster.apiserver.objects.watching import Notice, Watching, watch
from jubako.cluster.store import AsyncStore

_TIMEOUT_S = 1800


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
                async with asyncio.timeout(until):
                    async for batch in notices:
                        await response.write(_lines(batch, answers))
            await response.write_eof()
        except ConnectionResetError:  # the client has gone
            pass
    return response


def _lines(batch: Sequence[Notice], answers: Answers) -> bytes:
    return b"".join(answers.notice(each.kind, _body(each, answers)) for each in batch)


def _body(notice: Notice, answers: Answers) -> bytes:
    if notice.item is not None:
        return answers.one(notice.item)
    return encode(notice.document or {})
