"""The end of a running attempt: hook, turn, signal and SIGKILL within the grace period."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from jubako.cluster.node.stopping import Stopping


class Scene:
    """What happens, and when: seconds of a clock that leaps to what is waited for next."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def now(self) -> int:
        return round(asyncio.get_running_loop().time())

    async def signal(self, kill: bool) -> None:
        self.told.append(f"{'KILL' if kill else 'TERM'} at {self.now()}")

    async def hook(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.told.append(f"hook at {self.now()}")

    def stopping(self, grace_s: float, hook_s: float | None = None, before: list[Stopping] | None = None) -> Stopping:
        hook = None if hook_s is None else lambda: self.hook(hook_s)
        return Stopping(hook, self.signal, before or [], grace_s)


class Leaping(asyncio.SelectorEventLoop):
    """A loop whose clock does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def play(scene: Callable[[Scene], Coroutine[Any, Any, None]]) -> list[str]:
    told = Scene()
    with asyncio.Runner(loop_factory=Leaping) as runner:
        runner.run(scene(told))
    return told.told


def test_the_stop_signal_comes_after_the_hook_and_sigkill_at_the_end() -> None:
    async def scene(of: Scene) -> None:
        of.stopping(10, hook_s=3)
        await asyncio.sleep(11)

    assert play(scene) == ["hook at 3", "TERM at 3", "KILL at 10"]


def test_a_hook_that_takes_too_long_is_left_and_two_seconds_remain() -> None:
    async def scene(of: Scene) -> None:
        of.stopping(5, hook_s=30)
        await asyncio.sleep(8)

    assert play(scene) == ["TERM at 5", "KILL at 7"]


def test_without_grace_there_is_no_hook() -> None:
    async def scene(of: Scene) -> None:
        of.stopping(0, hook_s=1)
        await asyncio.sleep(3)

    assert play(scene) == ["TERM at 0", "KILL at 2"]


def test_what_ends_in_time_is_not_killed() -> None:
    async def scene(of: Scene) -> None:
        stopping = of.stopping(30)
        await asyncio.sleep(1)
        stopping.note_end()
        await asyncio.sleep(60)

    assert play(scene) == ["TERM at 0"]


def test_a_shorter_grace_counts_from_when_it_comes() -> None:
    async def scene(of: Scene) -> None:
        stopping = of.stopping(30, hook_s=20)
        await asyncio.sleep(5)
        stopping.shorten(4)
        stopping.shorten(100)
        await asyncio.sleep(7)

    assert play(scene) == ["TERM at 9", "KILL at 11"]


def test_a_sidecar_waits_for_its_turn_while_there_is_time() -> None:
    async def scene(of: Scene) -> None:
        first = of.stopping(10)
        of.stopping(10, hook_s=1, before=[first])
        await asyncio.sleep(4)
        first.note_end()
        await asyncio.sleep(1)

    assert play(scene) == ["TERM at 0", "hook at 1", "TERM at 4"]


def test_sigkill_is_sent_until_it_has_ended() -> None:
    async def scene(of: Scene) -> None:
        of.stopping(2)
        await asyncio.sleep(5)

    assert play(scene) == ["TERM at 0", "KILL at 2", "KILL at 4"]
