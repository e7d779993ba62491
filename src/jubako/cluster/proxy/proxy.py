"""Has the kernel follow services and endpoints.

Concurrency:  one task of the event loop; what blocks for some milliseconds is in a thread of its own. What changes
              meanwhile is in the next table. What somebody else has flushed is noticed within half a minute.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from jubako.cluster.controllers.kinds import ENDPOINT_SLICE, SERVICE
from jubako.cluster.proxy import kernel
from jubako.cluster.proxy.ports import Port, Target, ports
from jubako.cluster.proxy.rules import Table, table
from jubako.cluster.proxy.watching import Watched
from jubako.errors import JubakoError

T = TypeVar("T")
_SETTLE_S, _AGAIN_S, _LONGEST_S = 0.01, 1.0, 30.0
# A connection that was on its way when the rules changed has come in by then.
_LINGER_S, _PATIENCE_S = 0.1, 2.0
_log = logging.getLogger(__name__)


class Proxy:
    """`own` are listeners of this machine (see `ports`); `prepare` has addresses of `network` lead to this machine;
    each `look_s` seconds it is seen to that nobody has undone it."""

    def __init__(
        self,
        name: str,
        network: str,
        own: Mapping[Target, Target],
        prepare: Callable[[], object],
        *,
        look_s: float = 30.0,
    ) -> None:
        self._name, self._network, self._own, self._prepare, self._look_s = name, network, own, prepare, look_s
        self._done: tuple[Sequence[Port], Table] | None = None
        self._doing: Sequence[Port] = ()
        self._coming: Callable[[], Sequence[Port]] = lambda: ()
        self._applied, self._tried = asyncio.Event(), asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="proxy")

    async def run(self, watched: Watched) -> None:
        """Run until cancelled; the rules stay."""
        changed, again_s = watched.listen(), _AGAIN_S
        self._coming = lambda: self._wanted(watched) if changed.is_set() and watched.is_complete else ()
        while True:
            is_look = not await _within(changed, self._look_s)
            await asyncio.sleep(_SETTLE_S)
            changed.clear()
            if not watched.is_complete or await self._apply(watched, is_look=is_look):
                again_s = _AGAIN_S
                continue
            await asyncio.sleep(again_s)
            again_s = min(2 * again_s, _LONGEST_S)
            changed.set()

    async def settled(self) -> None:
        """Wait until the first rules are there, or can not be, but not for ever."""
        if not self._tried.is_set():
            await _within(self._tried, _PATIENCE_S)

    async def withdrawn(self, address: str) -> None:
        """Wait until no new connection is led to an address, but not for ever; where only what is ending is left, that
        one still gets them."""
        if not self._leads_to(address):
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while self._leads_to(address):
                    await self._applied.wait()
        except TimeoutError:
            _log.warning("%s still has connections led to it", address)
        await asyncio.sleep(_LINGER_S)

    def _leads_to(self, address: str) -> bool:
        led = (*(self._done[0] if self._done else ()), *self._doing, *self._coming())
        return any(target.address == address for port in led if not port.ending for target in port.targets)

    async def _apply(self, watched: Watched, *, is_look: bool) -> bool:
        """Have the kernel do what is wanted; a look is at what others may have done to it."""
        wanted = self._wanted(watched)
        if is_look or self._done is None or wanted != self._done[0]:
            self._doing = wanted
            try:
                await self._blocking(partial(self._bring_about, wanted))
            except (JubakoError, OSError) as error:
                _log.warning("%s", error)
                return False
            finally:
                self._doing = ()
                self._tried.set()
        self._applied.set()
        self._applied = asyncio.Event()
        return True

    def _wanted(self, watched: Watched) -> Sequence[Port]:
        return ports(watched.of(SERVICE), watched.of(ENDPOINT_SLICE), self._own)

    async def _blocking(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _bring_about(self, wanted: Sequence[Port]) -> None:
        before, made = self._done, table(wanted, self._network)
        self._prepare()
        if before is None or not kernel.change(self._name, before[1], made):
            kernel.replace(self._name, made)
        self._done = (wanted, made)
        kernel.forget(before[0] if before else (), wanted)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event; False when the time is over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
