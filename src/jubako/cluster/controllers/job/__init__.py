"""Job: pods that run to their end, so many times.

tally       each pod counted once
indexes     sets of completion indexes
failures    when the Job has failed, and how long it waits after a pod has
retries     of single indexes
success     when it has done enough
pods        how many pods now
template    the pods it makes
sync        one call

Spec: kubernetes/pkg/controller/job.
"""

from __future__ import annotations

from jubako.cluster.controllers.controller import Controller, itself, owner
from jubako.cluster.controllers.job.sync import reconcile, release_orphan
from jubako.cluster.controllers.kinds import JOB, POD

CONTROLLER = Controller("job", {JOB: itself, POD: owner(JOB)}, reconcile)
ORPHANS = Controller("job-orphans", {POD: itself}, release_orphan, source="job-controller")
