"""When a Job has done enough: its completions, or a rule of its success policy.

Spec: batch/v1 SuccessPolicy.
"""

from __future__ import annotations

from typing import NamedTuple

from jubako.cluster.controllers.conditions import condition, is_true
from jubako.cluster.controllers.job import indexes
from jubako.cluster.controllers.job.tally import Tally
from jubako.cluster.objects import Object, at, objects, text


class Success(NamedTuple):
    reason: str
    message: str


_COMPLETIONS = Success("CompletionsReached", "Reached expected number of succeeded pods")


def success(job: Object, counted: Tally, active: int) -> Success | None:
    """Why a Job has succeeded, if it has; once it has, for ever the same."""
    if is_true(job, "SuccessCriteriaMet"):
        known = condition(job, "SuccessCriteriaMet")
        return Success(text(known, "reason"), text(known, "message"))
    completions = at(job, "spec", "completions")
    if not isinstance(completions, int):
        return _COMPLETIONS if counted.succeeded > 0 and active == 0 else None
    if not indexes.is_indexed(job):
        return _COMPLETIONS if counted.succeeded >= completions else None
    return _by_rule(job, counted) or (_COMPLETIONS if len(counted.completed) >= completions else None)


def _by_rule(job: Object, counted: Tally) -> Success | None:
    for place, rule in enumerate(objects(job, "spec", "successPolicy", "rules")):
        named = text(rule, "succeededIndexes")
        wanted = indexes.parse(named) if named else set(indexes.wanted(job))
        count = at(rule, "succeededCount")
        if len(wanted & counted.completed) >= (count if isinstance(count, int) else len(wanted)):
            return Success("SuccessPolicy", f"Matched rules at index {place}")
    return None
