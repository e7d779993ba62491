"""Events on their way to the API server: noted at once, written one after the other beside the work.

Invariant: what is told never holds up who tells it, and that it can not be told is nobody's failure.
"""

from __future__ import annotations

import asyncio
from collections import deque

from jubako.cluster.controllers.actions import Create, EmitEvent, Patch
from jubako.cluster.controllers.client import ClusterClient
from jubako.cluster.controllers.recorder import Recorder
from jubako.errors import JubakoError, NotFound

_UNTOLD = 1000


class Teller:
    def __init__(self, client: ClusterClient) -> None:
        self._client = client
        self._recorder = Recorder()
        self._untold: deque[Create | Patch] = deque(maxlen=_UNTOLD)
        self._noted = asyncio.Event()

    def note(self, component: str, event: EmitEvent, now: float) -> None:
        """Have `component` say it, unless it has said too much of that object."""
        write = self._recorder.record(component, event, now)
        if write is not None:
            self._untold.append(write)
            self._noted.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        while True:
            await self._noted.wait()
            self._noted.clear()
            await self.tell()

    async def tell(self) -> None:
        """Write what was noted."""
        while self._untold:
            write = self._untold.popleft()
            try:
                if isinstance(write, Create):
                    await self._client.create(write.object)
                else:
                    await self._client.patch(write)
            except NotFound:
                if isinstance(write, Patch):
                    self._recorder.lost(write.key)
            except JubakoError:
                continue
