"""How long a container that ended waits until it is started again: 10 s, then twice as long each time up to 5 minutes;
one that ran 10 minutes begins anew.

Model:  read off the ended attempts alone, so that a control plane that was restarted waits no shorter.
Spec:   "Pod Lifecycle", Container restarts.
"""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cluster.node.seen import Attempt

FIRST_S, LONGEST_S, RESET_S = 10.0, 300.0, 600.0


def wait_s(attempts: Sequence[Attempt], now: float) -> float:
    """Return the seconds that are left until the next attempt; `attempts` is the newest first, and has ended."""
    if not attempts or not attempts[0].finished:
        return 0.0
    return max(attempts[0].finished + delay_s(attempts) - now, 0.0)


def delay_s(attempts: Sequence[Attempt]) -> float:
    """Return how long the next attempt waits after the end of the last: the first failure waits for nothing."""
    failures = attempts[0].number + 1
    for attempt in attempts:
        if attempt.started and attempt.finished - attempt.started >= RESET_S:
            failures = attempts[0].number - attempt.number + 1
            break
    return 0.0 if failures <= 1 else min(FIRST_S * 2.0 ** min(failures - 2, 10), LONGEST_S)
