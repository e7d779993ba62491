"""Counting a Job's pods, each once, whatever crashes.

Model:     a pod carries a finalizer until it is counted. One that has ended is first noted by uid in
           status.uncountedTerminatedPods; then its finalizer goes; and once it is seen without, its uid becomes one
           more in the count. Each step is stored before the next one begins.
Invariant: the sum of counts, noted uids and ended pods that are not noted never misses a pod and has none twice.
Spec:      batch/v1 UncountedTerminatedPods.
"""

from __future__ import annotations

from dataclasses import dataclass

from jubako.cluster.controllers.actions import Action, patch
from jubako.cluster.controllers.job import indexes, retries
from jubako.cluster.controllers.job.failures import verdict
from jubako.cluster.controllers.pods import phase
from jubako.cluster.objects import Object, at, finalizers, is_deleting, listed, number, text, uid, words

FINALIZER = "batch.kubernetes.io/job-tracking"


@dataclass(frozen=True)
class Tally:
    """`succeeded` and `failed` are counts with all that has ended; `noted_*` are the uids still to be counted."""

    counted_succeeded: int
    counted_failed: int
    noted_succeeded: list[str]
    noted_failed: list[str]
    completed: set[int]
    given_up: set[int]
    new_failures: int

    @property
    def done(self) -> set[int]:
        """The indexes that get no more pods."""
        return self.completed | self.given_up

    @property
    def succeeded(self) -> int:
        return self.counted_succeeded + len(self.noted_succeeded)

    @property
    def failed(self) -> int:
        return self.counted_failed + len(self.noted_failed)


def is_failed(job: Object, pod: Object) -> bool:
    """Whether a pod counts as failed; one that is being deleted does, unless only failed ones are replaced."""
    if phase(pod) == "Failed":
        return True
    if not is_deleting(pod) or phase(pod) == "Succeeded":
        return False
    # Without a grace period left, the node has nothing more of it.
    return not replaces_failed_only(job) or number(pod, "metadata", "deletionGracePeriodSeconds", absent=1) == 0


def replaces_failed_only(job: Object) -> bool:
    has_policy = at(job, "spec", "podFailurePolicy") is not None
    return text(job, "spec", "podReplacementPolicy") == "Failed" or has_policy


def tally(job: Object, pods: list[Object]) -> Tally:
    held = {uid(pod) for pod in pods if FINALIZER in finalizers(pod)}
    before_succeeded = words(job, "status", "uncountedTerminatedPods", "succeeded")
    before_failed = words(job, "status", "uncountedTerminatedPods", "failed")
    noted = {*before_succeeded, *before_failed}
    fresh = [pod for pod in pods if uid(pod) in held and uid(pod) not in noted]
    indexed = indexes.is_indexed(job)
    completed = indexes.parse(text(job, "status", "completedIndexes"))
    given_up = indexes.parse(text(job, "status", "failedIndexes"))
    new_succeeded, new_failed = [], []
    for pod in fresh:
        if phase(pod) == "Succeeded":
            index = indexes.index_of(pod)
            # An index is completed once: a twin that succeeds as well, or a stranger to the range, is not counted.
            if indexed and (index in completed or index not in indexes.wanted(job)):
                continue
            completed |= {index} if indexed else set()
            new_succeeded.append(uid(pod))
        elif is_failed(job, pod) and verdict(job, pod)[0] != "Ignore":
            new_failed.append(uid(pod))
            given_up |= {indexes.index_of(pod)} if retries.has_failed(job, pod) else set()
    return Tally(
        number(job, "status", "succeeded") + sum(each not in held for each in before_succeeded),
        number(job, "status", "failed") + sum(each not in held for each in before_failed),
        [each for each in before_succeeded if each in held] + new_succeeded,
        [each for each in before_failed if each in held] + new_failed,
        completed,
        given_up - completed,
        len(new_failed),
    )


def released(job: Object, pods: list[Object], *, all_: bool = False, done: set[int] | None = None) -> list[Action]:
    """Take the finalizer from pods that have ended (all that count are noted by now), or from all.

    Where `done` says which indexes get no more pods, those keep it whose index waits for its next pod.
    """
    ended = [pod for pod in pods if all_ or phase(pod) == "Succeeded" or is_failed(job, pod)]
    if done is not None:
        ended = [pod for pod in ended if not retries.is_held(job, pods, pod, done)]
    return [release(pod) for pod in ended if FINALIZER in finalizers(pod)]


def release(pod: Object) -> Action:
    left = [each for each in finalizers(pod) if each != FINALIZER]
    return patch(pod, {"metadata": {"finalizers": listed(left) or None}}, exactly=True)
