"""The subresources of a pod that stream: log, exec, attach."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http import channels
from jubako.cluster.apiserver.http.call import Call
from jubako.cluster.apiserver.objects import reading, stored
from jubako.cluster.apiserver.streams import LogOptions, Streams
from jubako.cluster.store import AsyncStore
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, at, objects, text
from jubako.errors import FailedPrecondition, InvalidArgument, NotFound

_TRUE = ("1", "t", "true")


class PodStreams:
    def __init__(self, store: AsyncStore, streams: Streams) -> None:
        self._store, self._streams = store, streams
        self._answers: dict[str, Callable[[Call], Awaitable[web.StreamResponse]]] = {
            "log": self._log, "exec": self._exec, "attach": self._attach,
        }  # fmt: skip

    def answer(self, call: Call) -> Callable[[Call], Awaitable[web.StreamResponse]] | None:
        below = call.asked.subresource
        return self._answers.get(below.name) if below and call.asked.resource.plural == "pods" else None

    async def _log(self, call: Call) -> web.StreamResponse:
        pod, container = self._chosen(call)
        lines = self._streams.logs(pod, container, _log_options(call.request))
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        begun = False
        try:
            async for data in lines:
                if not begun:
                    await response.prepare(call.request)
                    begun = True
                await response.write(data)
        except (NotFound, FailedPrecondition) as error:
            raise failures.bad_request(error.message) from None
        if not begun:
            await response.prepare(call.request)
        await response.write_eof()
        return response

    async def _exec(self, call: Call) -> web.StreamResponse:
        query = call.request.query
        command = query.getall("command", [])
        if not command:
            raise failures.bad_request("you must specify at least one command for the container")
        _check_websocket(call.request)
        pod, container = self._chosen(call)
        try:
            session = await self._streams.execute(
                pod, container, command, tty=_is_true(query.get("tty")), stdin=_is_true(query.get("stdin"))
            )
        except (NotFound, FailedPrecondition) as error:
            raise failures.failure(500, "InternalError", error.message) from None
        return await channels.serve(call.request, session)

    async def _attach(self, call: Call) -> web.StreamResponse:
        _check_websocket(call.request)
        pod, container = self._chosen(call)
        try:
            session = await self._streams.attach(pod, container)
        except (NotFound, FailedPrecondition) as error:
            raise failures.failure(500, "InternalError", error.message) from None
        return await channels.serve(call.request, session)

    def _chosen(self, call: Call) -> tuple[Object, str]:
        """Return the pod and the container of it that is meant. Raises Failure (400, 404)."""
        asked = call.asked
        pod = stored.decode(reading.get(self._store, asked.resource, asked.namespace, asked.name))
        names = [
            text(each.get("name"))
            for group in ("containers", "initContainers", "ephemeralContainers")
            for each in objects(at(pod, "spec", group))
        ]
        wanted = call.request.query.get("container", "")
        if wanted and wanted not in names:
            raise failures.bad_request(f"container {wanted} is not valid for pod {asked.name}")
        main = objects(at(pod, "spec", "containers"))
        if not wanted and len(main) > 1:
            choice = f"choose one of: {[text(each.get('name')) for each in main]}".replace("'", "").replace(",", "")
            message = f"a container name must be specified for pod {asked.name}, {choice}"
            raise failures.bad_request(message)
        return pod, wanted or text(main[0].get("name"))


def _check_websocket(request: web.Request) -> None:
    if not channels.is_wanted(request):
        raise failures.bad_request("Upgrade request required: this server streams over WebSocket")


def _log_options(request: web.Request) -> LogOptions:
    query = request.query
    since = query.get("sinceTime", "")
    try:
        moment: datetime | None = times.parse(since) if since else None
        seconds = int(query.get("sinceSeconds", "0"))
        tail, limit = int(query.get("tailLines", "-1")), int(query.get("limitBytes", "-1"))
    except (InvalidArgument, ValueError) as error:
        raise failures.bad_request(str(error)) from None
    since_ns = int(moment.timestamp() * 1e9) if moment else None
    return LogOptions(
        follow=_is_true(query.get("follow")),
        previous=_is_true(query.get("previous")),
        timestamps=_is_true(query.get("timestamps")),
        tail=tail,
        limit_bytes=limit,
        since_ns=time.time_ns() - seconds * 10**9 if seconds else since_ns,
    )


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in _TRUE
