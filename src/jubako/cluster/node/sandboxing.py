"""A pod's sandbox with its volumes: made, and its volumes brought up to date; what keeps them from it is told.

Concurrency:  the event loop.
"""

from __future__ import annotations

from functools import partial

from jubako.cluster.node.ending import Speaker
from jubako.cluster.node.environment import Missing
from jubako.cluster.node.making import Making
from jubako.cluster.node.seen import Seen
from jubako.cluster.node.volumes.renewal import Renewal
from jubako.cluster.types.document import Object
from jubako.errors import JubakoError

_AGAIN_S, _MOUNT_AGAIN_S = 1.0, 5.0


class Sandboxing:
    """Those of one pod."""

    def __init__(self, making: Making, speaker: Speaker, renewal: Renewal) -> None:
        self._making, self._speaker, self._renewal = making, speaker, renewal

    async def make(self, pod: Object, sandbox: str) -> float:
        """Make it anew, in place of `sandbox`; returns in how many seconds to look again."""
        self._renewal.take()
        try:
            left_s = await self._speaker.blocking(partial(self._making.sandbox, pod, sandbox))
            self._renewal.written(left_s)
        except Missing as missing:
            self._speaker.say("Warning", "FailedMount", str(missing))
            return _MOUNT_AGAIN_S
        except JubakoError as error:
            message = f"Failed to create pod sandbox: {error.message}"
            self._speaker.say("Warning", "FailedCreatePodSandBox", message)
            return _AGAIN_S
        return 0.0

    async def renew(self, pod: Object, seen: Seen) -> None:
        """Bring the volumes of one that is ready up to date, where that is due."""
        if not seen.ready or not self._renewal.is_due():
            return
        changed = self._renewal.take()
        try:
            left_s = await self._speaker.blocking(partial(self._making.renew, pod, seen.address, changed))
            self._renewal.written(left_s)
        except Missing as missing:
            self._speaker.say("Warning", "FailedMount", str(missing))
