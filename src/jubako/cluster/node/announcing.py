"""Events that say why a pod is waited with, or ended."""

from __future__ import annotations

from jubako.cluster.node import decide
from jubako.cluster.node.decide import Situation
from jubako.cluster.node.ending import Speaker


class Announcing:
    """Of one pod; `full_name` is the pod's, for people."""

    def __init__(self, speaker: Speaker, full_name: str) -> None:
        self._speaker, self._full_name = speaker, full_name
        self._told_late = False

    def deadline(self, situation: Situation) -> None:
        """Say once that the pod has run for too long, if it has."""
        if decide.is_late(situation) and not self._told_late:
            self._told_late = True
            self._speaker.say("Normal", decide.LATE.reason, decide.LATE.message)

    def back_off(self, situation: Situation) -> None:
        """Say which containers have ended and are waited with before they are started again."""
        for container in (*decide.initial(situation.pod), *decide.main(situation.pod)):
            name = decide.name_of(container)
            last = situation.seen.last(name)
            if last is not None and last.ended and decide.comes_again(situation, container):
                message = f"Back-off restarting failed container {name} in pod {self._full_name}"
                self._speaker.say("Warning", "BackOff", message)
