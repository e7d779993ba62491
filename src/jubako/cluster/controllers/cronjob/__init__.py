"""CronJob: makes Jobs at the times of a schedule.

timing      what is due, what comes next

The name of a Job tells the minute it was scheduled for, so no time is started twice.
Spec: kubernetes/pkg/controller/cronjob.
"""

from __future__ import annotations

from jubako.cluster.controllers.actions import Action, Create, EmitEvent, delete, set_status, soonest
from jubako.cluster.controllers.conditions import is_true
from jubako.cluster.controllers.controller import Controller, itself, owner
from jubako.cluster.controllers.cronjob.timing import MANY, Due, UnknownTimeZone, due, read
from jubako.cluster.controllers.job.sync import finished_at, is_finished
from jubako.cluster.controllers.kinds import CRON_JOB, JOB, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import (
    Object,
    annotated,
    at,
    created,
    flag,
    is_deleting,
    labels,
    listed,
    mapping,
    moment,
    name,
    namespace,
    number,
    objects,
    owner_reference,
    resource_version,
    stamp,
    text,
    uid,
    without_nones,
)
from jubako.errors import InvalidArgument

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_LATER_S = 0.1


def reconcile(observed: Observed, key: Key) -> list[Action]:
    cron_job = observed.get(CRON_JOB, key)
    if cron_job is None or is_deleting(cron_job):
        return []
    jobs = observed.controlled(JOB, cron_job)
    told, running = _account(cron_job, jobs)
    old = _old(cron_job, jobs)
    if flag(cron_job, "spec", "suspend"):
        return [*told, *_status(cron_job, jobs, running, None), *old]
    try:
        schedule, where = read(cron_job)
    except InvalidArgument as error:
        return [*told, *_status(cron_job, jobs, running, None), _unreadable(cron_job, error), *old]
    times = due(cron_job, schedule, where, observed.now)
    steps, started = _start(observed, cron_job, running, times)
    replaced = running if any(isinstance(each, Create) for each in steps) and _policy(cron_job) == "Replace" else []
    lasting = [job for job in running if job not in replaced]
    status = _status(cron_job, jobs, lasting, times.last if started else None)
    # The Job first: its name keeps it from being made twice, while a time that is noted and not started is lost.
    wait = times.next - observed.now + _LATER_S if times.next is not None else None
    return [*told, *steps, *status, *old, *soonest(wait)]


def _account(cron_job: Object, jobs: list[Object]) -> tuple[list[Action], list[Object]]:
    """What has become of the Jobs that were active, and those that are."""
    noted = {text(each, "uid") for each in objects(cron_job, "status", "active")}
    told: list[Action] = []
    running = []
    for job in jobs:
        if not is_finished(job):
            running.append(job)
        elif uid(job) in noted:
            kind = "Complete" if is_true(job, "Complete") else "Failed"
            told.append(_say(cron_job, "SawCompletedJob", f"Saw completed job: {name(job)}, condition: {kind}"))
    present = {uid(job) for job in jobs}
    for reference in objects(cron_job, "status", "active"):
        if text(reference, "uid") not in present:
            told.append(_say(cron_job, "MissingJob", f"Active job went missing: {text(reference, 'name')}"))
    return told, running


def _start(observed: Observed, cron_job: Object, running: list[Object], times: Due) -> tuple[list[Action], bool]:
    """The Job for the last time that is due, and whether that time is dealt with."""
    if times.last is None:
        return [], False
    told: list[Action] = []
    if times.missed > MANY:
        message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        told.append(_say(cron_job, "TooManyMissedTimes", message, warning=True))
    wanted = _job(cron_job, times.last)
    if observed.get(JOB, Key(namespace(cron_job), name(wanted))) is not None:
        return told, True
    deadline = at(cron_job, "spec", "startingDeadlineSeconds")
    if isinstance(deadline, int) and times.last + deadline < observed.now:
        message = f"Missed scheduled time to start a job: {stamp(times.last)}"
        return [*told, _say(cron_job, "MissSchedule", message, warning=True)], False
    if running and _policy(cron_job) == "Forbid":
        message = "Not starting job because prior execution is running and concurrency policy is Forbid"
        return [*told, _say(cron_job, "JobAlreadyActive", message)], False
    gone = [_delete(cron_job, job) for job in running] if _policy(cron_job) == "Replace" else []
    refused = EmitEvent(cron_job, "FailedCreate", "Error creating job: {error}", "Warning")
    made = Create(wanted, created=_say(cron_job, "SuccessfulCreate", "Created job {name}"), refused=refused)
    return [*told, *gone, made], True


def _policy(cron_job: Object) -> str:
    return text(cron_job, "spec", "concurrencyPolicy") or "Allow"


def _job(cron_job: Object, scheduled: float) -> Object:
    template = mapping(cron_job, "spec", "jobTemplate")
    metadata: Object = {
        "name": f"{name(cron_job)}-{int(scheduled) // 60}",
        "namespace": namespace(cron_job),
        "labels": {**labels(template)},
        "annotations": {**annotated(template), SCHEDULED: stamp(scheduled)},
        "ownerReferences": [owner_reference(cron_job)],
    }
    return {"apiVersion": JOB.api_version, "kind": JOB.name, "metadata": metadata, "spec": mapping(template, "spec")}


def _status(cron_job: Object, jobs: list[Object], running: list[Object], started: float | None) -> list[Action]:
    known = mapping(cron_job, "status")
    ended = [finished_at(job) for job in jobs if is_true(job, "Complete")]
    successful = max([*ended, text(known, "lastSuccessfulTime")], key=lambda each: moment(each) or 0.0)
    active: list[Object] = [
        {
            "apiVersion": JOB.api_version,
            "kind": JOB.name,
            "name": name(job),
            "namespace": namespace(job),
            "uid": uid(job),
            "resourceVersion": resource_version(job),
        }
        for job in sorted(running, key=created)
    ]
    same = {each["uid"] for each in active} == {text(each, "uid") for each in objects(known, "active")}
    return set_status(
        cron_job,
        without_nones(
            {
                **known,
                "active": known.get("active") if same else listed(active) or None,
                "lastScheduleTime": stamp(started) if started else known.get("lastScheduleTime"),
                "lastSuccessfulTime": successful or None,
            }
        ),
    )


def _old(cron_job: Object, jobs: list[Object]) -> list[Action]:
    """Finished Jobs beyond the history that is to be kept, the oldest first."""
    actions: list[Action] = []
    for field, kind, absent in (("successfulJobsHistoryLimit", "Complete", 3), ("failedJobsHistoryLimit", "Failed", 1)):
        ended = sorted((job for job in jobs if is_true(job, kind) and not is_deleting(job)), key=created)
        surplus = len(ended) - number(cron_job, "spec", field, absent=absent)
        actions += [_delete(cron_job, job) for job in ended[: max(surplus, 0)]]
    return actions


def _delete(cron_job: Object, job: Object) -> Action:
    told = _say(cron_job, "SuccessfulDelete", f"Deleted job {name(job)}")
    return delete(job, propagation="Background", deleted=told)


def _unreadable(cron_job: Object, error: InvalidArgument) -> Action:
    if isinstance(error, UnknownTimeZone):
        zone = text(cron_job, "spec", "timeZone")
        return _say(cron_job, "UnknownTimeZone", f'invalid timeZone: "{zone}" : {error.message}', warning=True)
    schedule = text(cron_job, "spec", "schedule")
    return _say(cron_job, "UnparseableSchedule", f'unparseable schedule: "{schedule}" : {error.message}', warning=True)


def _say(cron_job: Object, reason: str, message: str, *, warning: bool = False) -> EmitEvent:
    return EmitEvent(cron_job, reason, message, "Warning" if warning else "Normal")


CONTROLLER = Controller("cronjob", {CRON_JOB: itself, JOB: owner(CRON_JOB)}, reconcile)
