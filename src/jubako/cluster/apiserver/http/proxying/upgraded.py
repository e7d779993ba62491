"""A connection to a pod that has been upgraded: bytes both ways, until one end has no more to say."""

from __future__ import annotations

import asyncio

from aiohttp import ClientResponse, web
from multidict import CIMultiDict

from jubako.cluster.apiserver.http.streaming.ending import first, serve
from jubako.cluster.apiserver.http.streaming.streams import Traffic
from jubako.cluster.apiserver.http.streaming.wire import Taken, Wire, take


async def serve_upgraded(request: web.Request, answer: ClientResponse, headers: CIMultiDict[str]) -> web.StreamResponse:
    """Hand a pod's answer 101 on, and what follows it."""
    pod = _taken(answer)
    response, client = await take(request, headers)
    await serve(_Joined(client, pod))
    return response


class _Joined:
    def __init__(self, client: Wire, pod: Wire) -> None:
        self._client, self._pod = client, pod
        self.traffic = Traffic()

    async def run(self) -> None:
        await first(self._copy(self._client, self._pod), self._copy(self._pod, self._client))

    async def _copy(self, source: Wire, sink: Wire) -> None:
        while data := await source.read():
            self.traffic.moved()
            await sink.write(data)

    async def say_goodbye(self) -> None:
        """What has been written is sent before a wire closes."""

    async def close(self) -> None:
        await self._pod.close()
        await self._client.close()


class _Early:
    """What a pod sent right behind its answer."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """The transport says so as well."""


def _taken(answer: ClientResponse) -> Taken:
    """Have the connection of an answer 101."""
    connection = answer.connection
    if connection is None or connection.protocol is None or not isinstance(connection.transport, asyncio.Transport):
        raise ConnectionResetError("the pod has gone")
    early = _Early()
    connection.protocol.set_parser(early, None)
    return Taken(connection.transport, connection.protocol, early.data)
