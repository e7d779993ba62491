"""Finished Jobs go when their time to live is over.

Spec: kubernetes/pkg/controller/ttlafterfinished.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, delete, soonest
from jubako.cluster.controllers.controller import Controller, itself
from jubako.cluster.controllers.job.sync import finished_at
from jubako.cluster.controllers.kinds import JOB, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import at, is_deleting, moment


def reconcile(observed: Observed, key: Key) -> list[Action]:
    job = observed.get(JOB, key)
    if job is None or is_deleting(job):
        return []
    lives_s, ended = at(job, "spec", "ttlSecondsAfterFinished"), moment(finished_at(job))
    if not isinstance(lives_s, int) or ended is None:
        return []
    left = ended + lives_s - observed.now
    return soonest(left) if left > 0 else [delete(job, exactly=True, propagation="Foreground")]


CONTROLLER = Controller("ttl-after-finished", {JOB: itself}, reconcile)
