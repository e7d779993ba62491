"""The log of a container, as its client asks for it. Spec: core/v1 PodLogOptions."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http.parameters import flag
from jubako.cluster.apiserver.http.streaming.ending import first, gone
from jubako.cluster.apiserver.http.streaming.wire import Peer
from jubako.cluster.apiserver.streams import LogOptions
from jubako.cluster.types import times
from jubako.errors import FailedPrecondition, InvalidArgument, NotFound

_NANO = 10**9


async def serve_log(request: web.Request, log: AsyncGenerator[bytes, None]) -> web.StreamResponse:
    """Answer with a log, until its end or until the client goes. Raises Failure before anything is sent."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})

    async def send() -> None:
        async with aclosing(log):
            async for data in log:
                await response.prepare(request)
                await response.write(data)

    try:
        await first(send(), gone(Peer(request)))
    except (NotFound, FailedPrecondition) as error:
        raise failures.bad_request(error.message) from None
    await response.prepare(request)
    await response.write_eof()
    return response


def log_options(name: str, query: Mapping[str, str]) -> LogOptions:
    """Return what the query for the log of a pod asks. Raises Failure (400, 422)."""
    seconds = _number(name, query, "sinceSeconds", 1)
    since_ns = _moment(query, "sinceTime")
    if seconds is not None and since_ns is not None:
        raise _invalid(name, "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified")
    tail, limit = _number(name, query, "tailLines", 0), _number(name, query, "limitBytes", 1)
    return LogOptions(
        follow=flag(query, "follow"),
        previous=flag(query, "previous"),
        timestamps=flag(query, "timestamps"),
        tail=-1 if tail is None else tail,
        limit_bytes=-1 if limit is None else limit,
        since_ns=since_ns if seconds is None else time.time_ns() - seconds * _NANO,
    )


def _number(name: str, query: Mapping[str, str], key: str, least: int) -> int | None:
    given = query.get(key)
    if given is None:
        return None
    try:
        number = int(given)
    except ValueError:
        message = f'invalid value of {key}: strconv.ParseInt: parsing "{given}": invalid syntax'
        raise failures.bad_request(message) from None
    if number < least:
        bound = "greater than or equal to 0" if least == 0 else "greater than 0"
        raise _invalid(name, f"{key}: Invalid value: {number}: must be {bound}")
    return number


def _moment(query: Mapping[str, str], key: str) -> int | None:
    given = query.get(key)
    if not given:
        return None
    try:
        return int(times.parse(given).timestamp() * _NANO)
    except InvalidArgument as error:
        raise failures.bad_request(error.message) from None


def _invalid(name: str, why: str) -> failures.Failure:
    return failures.failure(422, "Invalid", f'PodLogOptions "{name}" is invalid: {why}')
