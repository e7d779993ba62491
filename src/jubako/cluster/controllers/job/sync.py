"""One call for a Job: count, decide whether it has ended, and otherwise have as many pods as there should be."""

from __future__ import annotations

from jubako.cluster.controllers import pods as pod_
from jubako.cluster.controllers.actions import Action, EmitEvent, set_status, soonest
from jubako.cluster.controllers.conditions import condition, is_true, made, without
from jubako.cluster.controllers.job import indexes, retries
from jubako.cluster.controllers.job.failures import Failure, deadline_in, failure
from jubako.cluster.controllers.job.pods import create, manage, removed
from jubako.cluster.controllers.job.success import Success, success
from jubako.cluster.controllers.job.tally import FINALIZER, Tally, release, released, tally
from jubako.cluster.controllers.kinds import JOB, POD, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.selectors import claim, selects
from jubako.cluster.objects import (
    Object,
    at,
    controller_of,
    finalizers,
    flag,
    is_deleting,
    listed,
    mapping,
    namespace,
    objects,
    stamp,
    text,
    uid,
    without_nones,
)


def is_finished(job: Object) -> bool:
    return is_true(job, "Complete") or is_true(job, "Failed")


def reconcile(observed: Observed, key: Key) -> list[Action]:
    job = observed.get(JOB, key)
    if job is None or text(job, "spec", "managedBy") not in ("", "kubernetes.io/job-controller"):
        return []
    claimed = claim(observed, POD, job, _accepts)
    if claimed.actions:
        return claimed.actions
    if is_finished(job) or is_deleting(job):
        return released(job, claimed.objects, all_=True)
    counted = tally(job, claimed.objects)
    return _sync(observed, job, claimed.objects, counted)


def _accepts(job: Object, pod: Object) -> bool:
    """A Job's selector is made of its uid, so what it controls it selects, and nothing else is its own."""
    return selects(job, pod) or (controller_of(pod) is not None and not mapping(job, "spec", "selector"))


def _sync(observed: Observed, job: Object, present: list[Object], counted: Tally) -> list[Action]:
    active = [pod for pod in present if pod_.is_active(pod)]
    target = _failure_target(job) or failure(job, present, counted.failed, counted.new_failures, observed.now)
    target = target or _failed_indexes(job, counted)
    if target is not None and not is_true(job, "SuccessCriteriaMet"):
        return _fail(observed, job, present, counted, target)
    if (why := success(job, counted, len(active))) is not None:
        return _complete(observed, job, present, counted, why)
    if flag(job, "spec", "suspend"):
        return _suspend(observed, job, present, counted)
    return _run(observed, job, present, counted)


def _failure_target(job: Object) -> Failure | None:
    known = condition(job, "FailureTarget")
    return Failure(text(known, "reason"), text(known, "message")) if known else None


def _failed_indexes(job: Object, counted: Tally) -> Failure | None:
    most = at(job, "spec", "maxFailedIndexes")
    if isinstance(most, int) and len(counted.given_up) > most:
        message = "Job has exceeded the specified maximal number of failed indexes"
        return Failure("MaxFailedIndexesExceeded", message)
    if counted.given_up and len(counted.done) >= len(indexes.wanted(job)):
        return Failure("FailedIndexes", "Job has failed indexes")
    return None


def _run(observed: Observed, job: Object, present: list[Object], counted: Tally) -> list[Action]:
    resumed = is_true(job, "Suspended")
    conditions = objects(job, "status", "conditions")
    told: list[Action] = []
    if resumed:
        conditions = _set(conditions, "Suspended", "False", "JobResumed", "Job resumed", observed.now)
        told = [EmitEvent(job, "Resumed", "Job resumed")]
    changes, missing = manage(job, present, counted)
    made_, wait = create(job, present, counted, missing, observed.now) if missing else ([], None)
    began = text(job, "status", "startTime")
    start = stamp(observed.now) if resumed or not began else began
    noted = _noted(job, present, counted, conditions, start=start)
    due = soonest(wait, deadline_in(job, observed.now))
    return [*noted, *released(job, present, done=counted.done), *told, *changes, *made_, *due]


def _suspend(observed: Observed, job: Object, present: list[Object], counted: Tally) -> list[Action]:
    """A suspended Job has no pods, and its time does not run."""
    conditions = objects(job, "status", "conditions")
    told: list[Action] = []
    if not is_true(job, "Suspended"):
        conditions = _set(conditions, "Suspended", "True", "JobSuspended", "Job suspended", observed.now)
        told = [EmitEvent(job, "Suspended", "Job suspended")]
    gone = [action for pod in present if pod_.is_active(pod) for action in removed(job, pod)]
    noted = _noted(job, present, counted, conditions, start=None)
    return [*noted, *released(job, present), *told, *gone]


def _fail(observed: Observed, job: Object, present: list[Object], counted: Tally, why: Failure) -> list[Action]:
    """End all pods; the Job has failed when the last of them is over."""
    conditions = objects(job, "status", "conditions")
    conditions = _set(conditions, "FailureTarget", "True", why.reason, why.message, observed.now)
    told: list[Action] = []
    if not _is_going(present) and not _uncounted(counted):
        conditions = _set(conditions, "Failed", "True", why.reason, why.message, observed.now)
        told = [EmitEvent(job, why.reason, why.message, "Warning")]
    gone = [pod_.deletion(job, pod) for pod in present if pod_.is_active(pod)]
    start = text(job, "status", "startTime") or stamp(observed.now)
    noted = _noted(job, present, counted, conditions, start=start)
    return [*noted, *released(job, present), *told, *gone]


def _complete(observed: Observed, job: Object, present: list[Object], counted: Tally, why: Success) -> list[Action]:
    conditions = objects(job, "status", "conditions")
    conditions = _set(conditions, "SuccessCriteriaMet", "True", *why, observed.now)
    told: list[Action] = []
    completion = None
    if not _is_going(present) and not _uncounted(counted):
        conditions = _set(conditions, "Complete", "True", *why, observed.now)
        completion = stamp(observed.now)
        told = [EmitEvent(job, "Completed", "Job completed")]
    gone = [action for pod in present if pod_.is_active(pod) for action in removed(job, pod)]
    start = text(job, "status", "startTime") or stamp(observed.now)
    noted = _noted(job, present, counted, conditions, start=start, completion=completion)
    return [*noted, *released(job, present), *told, *gone]


def _is_going(present: list[Object]) -> bool:
    return any(not pod_.is_finished(pod) for pod in present)


def _uncounted(counted: Tally) -> bool:
    return bool(counted.noted_succeeded or counted.noted_failed)


def _set(conditions: list[Object], type_: str, status: str, reason: str, message: str, now: float) -> list[Object]:
    known = next((each for each in conditions if text(each, "type") == type_), None)
    if known and text(known, "status") == status:
        return conditions
    changed = made(type_, status, reason, message, now, known)
    return [*without(conditions, type_), {**changed, "lastProbeTime": stamp(now)}]


def _noted(
    job: Object,
    present: list[Object],
    counted: Tally,
    conditions: list[Object],
    *,
    start: str | None,
    completion: str | None = None,
) -> list[Action]:
    active = [pod for pod in present if pod_.is_active(pod)]
    terminating = sum(is_deleting(pod) and not pod_.is_finished(pod) for pod in present)
    uncounted: Object = {}
    if counted.noted_succeeded:
        uncounted["succeeded"] = listed(counted.noted_succeeded)
    if counted.noted_failed:
        uncounted["failed"] = listed(counted.noted_failed)
    status = without_nones(
        {
            **mapping(job, "status"),
            "active": len(active) or None,
            "ready": sum(pod_.is_ready(pod) for pod in active),
            "terminating": terminating,
            "succeeded": counted.counted_succeeded or None,
            "failed": counted.counted_failed or None,
            "completedIndexes": indexes.render(counted.completed) or None,
            "failedIndexes": None if retries.limit(job) is None else indexes.render(counted.given_up),
            "uncountedTerminatedPods": uncounted,
            "conditions": listed(conditions) or None,
            "startTime": start,
            "completionTime": completion,
        }
    )
    return set_status(job, status)


def release_orphan(observed: Observed, key: Key) -> list[Action]:
    """A pod whose Job is gone is not held back for its count."""
    pod = observed.get(POD, key)
    if pod is None or FINALIZER not in finalizers(pod):
        return []
    reference = controller_of(pod)
    job = observed.get(JOB, Key(namespace(pod), text(reference, "name")))
    if job is not None and reference is not None and uid(job) == text(reference, "uid"):
        return []
    return [release(pod)]


def finished_at(job: Object) -> str:
    """When a finished Job ended, as it is written."""
    for type_ in ("Complete", "Failed"):
        if is_true(job, type_):
            return text(condition(job, type_), "lastTransitionTime")
    return ""
