"""When a Job has failed: its pod failure policy, back-off limit and deadline; and how long it waits after a failure.

Spec: batch/v1 PodFailurePolicy; kubernetes/pkg/controller/job: 10 s, twice as long with each failure, at most 10 min.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jubako.cluster.controllers.conditions import condition
from jubako.cluster.controllers.pods import phase, restarts
from jubako.cluster.objects import (
    JSON,
    Object,
    at,
    created,
    integers,
    moment,
    name,
    namespace,
    number,
    objects,
    text,
)

FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 600.0
Verdict = Literal["Count", "Ignore", "FailIndex", "FailJob"]


@dataclass(frozen=True)
class Failure:
    reason: str
    message: str


def verdict(job: Object, pod: Object) -> tuple[Verdict, str]:
    """What the policy says of a failed pod: the first rule that matches; without one it counts."""
    for place, rule in enumerate(objects(job, "spec", "podFailurePolicy", "rules")):
        action = text(rule, "action")
        if (why := _matches(rule, pod)) is None:
            continue
        if action == "Ignore":
            return "Ignore", ""
        if action == "FailJob":
            return "FailJob", f"{why} matching FailJob rule at index {place}"
        return ("FailIndex", "") if action == "FailIndex" else ("Count", "")
    return "Count", ""


def _matches(rule: Object, pod: Object) -> str | None:
    if (codes := at(rule, "onExitCodes")) is not None:
        return _exit_code(codes, pod)
    for wanted in objects(rule, "onPodConditions"):
        known = condition(pod, text(wanted, "type"))
        if known and text(known, "status") == (text(wanted, "status") or "True"):
            return f"Pod {namespace(pod)}/{name(pod)} has condition {text(wanted, 'type')}"
    return None


def _exit_code(codes: JSON, pod: Object) -> str | None:
    only, values = text(codes, "containerName"), integers(codes, "values")
    statuses = [*objects(pod, "status", "containerStatuses"), *objects(pod, "status", "initContainerStatuses")]
    for each in statuses:
        code = number(each, "state", "terminated", "exitCode")
        if not code or only not in ("", text(each, "name")):
            continue
        if (code in values) == (text(codes, "operator") == "In"):
            return f"Container {text(each, 'name')} for pod {namespace(pod)}/{name(pod)} failed with exit code {code}"
    return None


def failure(job: Object, pods: list[Object], failed: int, new_failures: int, now: float) -> Failure | None:
    """Why a Job has failed, if it has."""
    for pod in pods:
        if phase(pod) == "Failed":
            action, message = verdict(job, pod)
            if action == "FailJob":
                return Failure("PodFailurePolicy", message)
    limit = number(job, "spec", "backoffLimit", absent=6)
    if (new_failures and failed > limit) or _restarted_too_often(job, pods, limit):
        return Failure("BackoffLimitExceeded", "Job has reached the specified backoff limit")
    if deadline_in(job, now) == 0.0:
        return Failure("DeadlineExceeded", "Job was active longer than specified deadline")
    return None


def _restarted_too_often(job: Object, pods: list[Object], limit: int) -> bool:
    """Where containers are restarted in place, the restarts count instead of pods."""
    if text(job, "spec", "template", "spec", "restartPolicy") != "OnFailure":
        return False
    count = sum(restarts(pod) for pod in pods if phase(pod) in ("Running", "Pending"))
    return count > 0 if limit == 0 else count >= limit


def deadline_in(job: Object, now: float) -> float | None:
    """In how many seconds the Job will have been active for too long; None when there is no limit."""
    limit, began = at(job, "spec", "activeDeadlineSeconds"), moment(text(job, "status", "startTime"))
    if not isinstance(limit, int) or began is None:
        return None
    return max(began + limit - now, 0.0)


def wait_s(pods: list[Object], now: float) -> float:
    """How long to wait before the next pod is made: after failures in a row, counted from the last."""
    succeeded = max((ended(pod) for pod in pods if phase(pod) == "Succeeded"), default=0.0)
    failures = [ended(pod) for pod in pods if phase(pod) == "Failed" and ended(pod) > succeeded]
    if not failures:
        return 0.0
    due: float = max(failures) + delay_s(len(failures))
    return max(due - now, 0.0)


def delay_s(failures: int) -> float:
    """How long to wait after so many failures in a row."""
    return min(FIRST_WAIT_S * 2.0 ** min(failures - 1, 16), LONGEST_WAIT_S) if failures else 0.0


def ended(pod: Object) -> float:
    """When the last container of a finished pod ended."""
    statuses = objects(pod, "status", "containerStatuses")
    times = [moment(text(each, "state", "terminated", "finishedAt")) for each in statuses]
    return max([each for each in times if each is not None], default=created(pod))
