"""The keeper and its spare give way: neither takes the processor from a call that runs.

The scheduler lets a process that was just woken push aside the one that woke it, and a call wakes the keeper when it
begins: the call then waited a millisecond for the keeper's fork while another processor was free. A process of
SCHED_BATCH pushes nobody aside (sched(7)); it is not nicer, so it gets its share where all are busy.
"""

from __future__ import annotations

import os

_NO_PRIORITY = os.sched_param(0)


def give_way() -> bool:
    """Do so, unless the user chose another policy than the ordinary one; returns whether `take_turn` must undo it."""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    os.sched_setscheduler(0, os.SCHED_BATCH, _NO_PRIORITY)
    return True


def take_turn() -> None:
    """Be an ordinary process again."""
    os.sched_setscheduler(0, os.SCHED_OTHER, _NO_PRIORITY)
