"""When a connection is over: all is said, its client has gone, or nothing has moved on it for hours."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Protocol

from jubako.cluster.apiserver.http.streaming.streams import Traffic
from jubako.cluster.apiserver.http.streaming.wire import Peer

# As the kubelet's streamingConnectionIdleTimeout.
IDLE_S = 4 * 3600.0
_FAREWELL_S = 5.0
_LOOK_S = 1.0


class Connection(Protocol):
    traffic: Traffic

    async def run(self) -> None: ...
    async def say_goodbye(self) -> None: ...
    async def close(self) -> None: ...


async def serve(connection: Connection, *work: Coroutine[None, None, None]) -> None:
    """Do the work on a connection while it lasts, and close it."""
    try:
        with suppress(OSError):
            await first(connection.run(), *work, _idle(connection.traffic))
            async with asyncio.timeout(_FAREWELL_S):
                await connection.say_goodbye()
    finally:
        await connection.close()


async def first(*each: Coroutine[None, None, None]) -> None:
    """Run all until one has ended; raises what that one raised."""
    tasks = [asyncio.create_task(one) for one in each]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def gone(peer: Peer) -> None:
    """Return when the client has gone."""
    while not peer.hung_up():
        await asyncio.sleep(_LOOK_S)


async def _idle(traffic: Traffic) -> None:
    clock = asyncio.get_running_loop().time
    while (left := traffic.last + IDLE_S - clock()) > 0:
        await asyncio.sleep(left)
