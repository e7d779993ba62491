"""How many pods a Job is to have now, and which to make or take away."""

from __future__ import annotations

from jubako.cluster.controllers import pods as pod_
from jubako.cluster.controllers.actions import Action
from jubako.cluster.controllers.job import indexes, retries
from jubako.cluster.controllers.job.failures import wait_s
from jubako.cluster.controllers.job.tally import FINALIZER, Tally, release, replaces_failed_only
from jubako.cluster.controllers.job.template import made
from jubako.cluster.objects import Object, at, finalizers, is_deleting, number

BURST = 500


def wanted(job: Object, counted: Tally, active: int) -> int:
    """How many active pods there should be."""
    parallelism, completions = number(job, "spec", "parallelism", absent=1), at(job, "spec", "completions")
    if not isinstance(completions, int):
        # A work queue: once one has succeeded, no more are made, and those that run come to their end.
        return min(active, parallelism) if counted.succeeded else parallelism
    done = len(counted.done) if indexes.is_indexed(job) else counted.succeeded
    return max(min(completions - done, parallelism), 0)


def manage(job: Object, present: list[Object], counted: Tally) -> tuple[list[Action], int]:
    """Pods to take away; or how many to make are missing, as a count."""
    active = [pod for pod in present if pod_.is_active(pod)]
    surplus = _surplus(job, active, counted)
    target = wanted(job, counted, len(active) - len(surplus))
    left = [pod for pod in active if pod not in surplus]
    if len(left) > target:
        surplus += sorted(left, key=pod_.deletion_rank)[: len(left) - target]
    if surplus:
        return [action for pod in surplus[:BURST] for action in removed(job, pod)], 0
    holding = sum(_holds_its_place(job, pod) for pod in present)
    return [], max(min(target - len(active) - holding, BURST), 0)


def _holds_its_place(job: Object, pod: Object) -> bool:
    """Whether a pod that is being deleted is replaced only once it has ended."""
    return is_deleting(pod) and not pod_.is_finished(pod) and replaces_failed_only(job)


def _surplus(job: Object, active: list[Object], counted: Tally) -> list[Object]:
    """Pods of an index that is completed, is out of range, or has an older pod."""
    if not indexes.is_indexed(job):
        return []
    seen, surplus = counted.done, []
    for pod in sorted(active, key=lambda each: pod_.deletion_rank(each), reverse=True):
        index = indexes.index_of(pod)
        if index in seen or index not in indexes.wanted(job):
            surplus.append(pod)
        seen.add(index)
    return surplus


def removed(job: Object, pod: Object) -> list[Action]:
    """Take away a pod that the Job no longer wants, which is no failure of the pod's: it is not counted."""
    freed = [release(pod)] if FINALIZER in finalizers(pod) else []
    return [*freed, pod_.deletion(job, pod)]


def create(
    job: Object, present: list[Object], counted: Tally, count: int, now: float
) -> tuple[list[Action], float | None]:
    """The pods that are missing, and how long the first that has to wait has to."""
    if not indexes.is_indexed(job):
        wait = wait_s(present, now)
        return ([], wait) if wait else ([_create(job, None)] * count, None)
    taken = {indexes.index_of(pod) for pod in present if pod_.is_active(pod) or _holds_its_place(job, pod)}
    free = [index for index in indexes.wanted(job) if index not in taken and index not in counted.done]
    if retries.limit(job) is None:
        wait = wait_s(present, now)
        return ([], wait) if wait else ([_create(job, index) for index in free[:count]], None)
    waits = {index: retries.wait_s(job, present, index, now) for index in free}
    ready = [index for index in free if not waits[index]][:count]
    created = [_create(job, index, retries.before(job, present, index)) for index in ready]
    return created, min((wait for wait in waits.values() if wait), default=None)


def _create(job: Object, index: int | None, failures: int | None = None) -> Action:
    return pod_.creation(job, made(job, index, failures))
