"""Timing A B A B … in one run, medians and ratios."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

Action = Callable[[], Any]
SETTLE_S = 0.3


def timed(action: Action) -> float:
    """Seconds that one call takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def interleaved(
    contenders: Mapping[str, Action], rounds: int, *, warm_up: int = 1, settle_s: float = SETTLE_S
) -> dict[str, list[float]]:
    """Run every contender twice a round, in turn, so that whatever disturbs the machine disturbs them all.

    A daemon tidies up for a while after its client has returned; the pause keeps that out of the next one's time.
    Contenders without one need none.
    """
    for action in contenders.values():
        for _ in range(warm_up):
            action()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, action in contenders.items():
            time.sleep(settle_s)
            times[name].append(timed(action))
    return times


def summary(times: Mapping[str, list[float]], goals: Mapping[str, float]) -> dict[str, Any]:
    """Medians in milliseconds, and ours over each peer's with the goal beside it. Ours is the first contender."""
    medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
    ours = next(iter(medians))
    return {
        "median_ms": {name: round(value, 3) for name, value in medians.items()},
        "min_ms": {name: round(min(values) * 1000, 3) for name, values in times.items()},
        "ratios": {
            peer: {"ratio": round(medians[ours] / medians[peer], 4), "goal": goals.get(peer)}
            for peer in medians
            if peer != ours
        },
    }


def number(value: float, unit: str, *, below: float | None = None, above: float | None = None) -> dict[str, Any]:
    """A number with its goal: what it has to stay below, or to be at least."""
    goal = {"below": below} if below is not None else {"above": above} if above is not None else {}
    return {"value": round(value, 3), "unit": unit, **goal}


def numbers(**found: dict[str, Any]) -> dict[str, Any]:
    """The result of a row that has no peer."""
    return {"numbers": {name.replace("_", " "): value for name, value in found.items()}}


def command(*argv: str, env: Mapping[str, str] | None = None, stdin: bytes | None = None) -> Action:
    """An action that runs a command and fails loudly when the command fails."""

    def action() -> None:
        done = subprocess.run(argv, capture_output=True, check=False, env=env, input=stdin)
        if done.returncode:
            sys.stderr.write(done.stderr.decode(errors="replace"))
            raise RuntimeError(f"{' '.join(argv)} exited with {done.returncode}")

    return action
