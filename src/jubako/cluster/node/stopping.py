"""The end of one running attempt: its preStop hook, its turn, the stop signal, and at last SIGKILL.

Model:        all of it within the grace period; but between the signal and SIGKILL there are always two seconds. A
              shorter grace that comes meanwhile counts from when it comes.
Concurrency:  a task of the event loop. Nothing waits in a thread: whoever sees that the attempt has ended says so.
Restarted:    a control plane that was killed meanwhile leaves the attempt running; the next one begins anew.
Spec:         "Pod Lifecycle", Termination of Pods; k8s.io/kubernetes/pkg/kubelet/kuberuntime/kuberuntime_container.go.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

_LEAST_S = 2.0


class Stopping:
    """`hook` runs the preStop hook, `signal` sends the stop signal or, with True, kills; `before` end first."""

    def __init__(
        self,
        hook: Callable[[], Awaitable[None]] | None,
        signal: Callable[[bool], Awaitable[None]],
        before: Sequence[Stopping],
        grace_s: float,
    ) -> None:
        self._hook, self._signal, self._before = hook, signal, before
        self._deadline = _now() + grace_s
        self._limit: asyncio.Timeout | None = None
        self._ended = asyncio.Event()
        self._least = 0.0
        self._task = asyncio.create_task(self._run())

    def shorten(self, grace_s: float) -> None:
        """End sooner, if that is sooner."""
        self._deadline = min(self._deadline, _now() + grace_s)
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._end())

    def note_end(self) -> None:
        """The attempt has ended."""
        self._ended.set()

    def cancel(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        if self._hook is not None and self._deadline > _now():
            async with self._limited():
                await self._hook()
        async with self._limited():
            for each in self._before:
                await each._ended.wait()
        await self._signal(False)
        self._least = _now() + _LEAST_S
        async with self._limited():
            await self._ended.wait()
        while not self._ended.is_set():
            await self._signal(True)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LEAST_S):
                    await self._ended.wait()

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        """Go on to what comes next when the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._end()) as self._limit:
                yield
        self._limit = None

    def _end(self) -> float:
        return max(self._deadline, self._least)


def _now() -> float:
    return asyncio.get_running_loop().time()
