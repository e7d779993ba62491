"""Retries of single indexes: how often each has failed, which have failed for good, and how long each waits.

Model: a pod carries in an annotation how often its index failed before it. The last failed pod of an index keeps its
       finalizer until its successor, with the next number, is there: so the number is never lost.
Spec:  batch/v1 JobSpec, backoffLimitPerIndex, maxFailedIndexes.
"""

from __future__ import annotations

from jubako.cluster.controllers.job import indexes
from jubako.cluster.controllers.job.failures import delay_s, ended, verdict
from jubako.cluster.controllers.pods import phase
from jubako.cluster.objects import Object, annotated, at, created, name, whole

FAILURES = "batch.kubernetes.io/job-index-failure-count"


def limit(job: Object) -> int | None:
    """How often each index may fail; None where only the Job as a whole is limited."""
    found = at(job, "spec", "backoffLimitPerIndex")
    return found if isinstance(found, int) and indexes.is_indexed(job) else None


def failures(job: Object, pod: Object) -> int:
    """How often the index of a failed pod has failed, with it, unless it is to be ignored."""
    before = whole(annotated(pod).get(FAILURES, "")) or 0
    return before + (verdict(job, pod)[0] != "Ignore")


def has_failed(job: Object, pod: Object) -> bool:
    """Whether with this failed pod its index has failed for good."""
    most = limit(job)
    return most is not None and (verdict(job, pod)[0] == "FailIndex" or failures(job, pod) > most)


def last(pods: list[Object], index: int) -> Object | None:
    """The youngest pod of an index."""
    of_index = [pod for pod in pods if indexes.index_of(pod) == index]
    return max(of_index, key=lambda pod: (created(pod), annotated(pod).get(FAILURES, ""), name(pod)), default=None)


def before(job: Object, pods: list[Object], index: int) -> int:
    """How often an index had failed when its next pod is made."""
    known = last(pods, index)
    return failures(job, known) if known is not None and phase(known) == "Failed" else 0


def wait_s(job: Object, pods: list[Object], index: int, now: float) -> float:
    """How long to wait before the next pod of an index is made."""
    known = last(pods, index)
    if known is None or phase(known) != "Failed":
        return 0.0
    return max(ended(known) + delay_s(failures(job, known)) - now, 0.0)


def is_held(job: Object, pods: list[Object], pod: Object, done: set[int]) -> bool:
    """Whether a failed pod keeps its finalizer for the number that it carries."""
    index = indexes.index_of(pod)
    return limit(job) is not None and phase(pod) == "Failed" and index not in done and last(pods, index) is pod
