"""When a pod is to be looked at again though nothing happens: its deadline, the end of what is shown for a while."""

from __future__ import annotations

from collections.abc import Mapping

from jubako.cluster.node.seen import Waiting
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, at, integer, text

LONGEST_S = 60.0


def deadline_of(pod: Object) -> float:
    """When the pod has run for as long as it may, in seconds since the epoch; 0 where there is no such time."""
    allowed = integer(at(pod, "spec", "activeDeadlineSeconds"))
    begun = text(at(pod, "status", "startTime"))
    return times.parse(begun).timestamp() + allowed if allowed and begun else 0.0


def until_deadline(pod: Object, now: float) -> float:
    deadline = deadline_of(pod)
    return max(deadline - now, 0.1) if deadline else LONGEST_S


def until_shown(waiting: Mapping[str, Waiting], now: float) -> float:
    """Why a container does not run is told for a moment, and then that it is waited with."""
    left = (held.until - now for held in waiting.values())
    return min((each for each in left if each > 0), default=LONGEST_S)
