"""When a CronJob is due: the last time that has come and was not started, and the next one.

Spec: kubernetes/pkg/controller/cronjob/utils.go; more than 100 missed times are told of and only the last counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jubako.cluster.objects import Object, at, created, moment, text
from jubako.cluster.types.schedule import Every, Schedule, parse
from jubako.errors import InvalidArgument

MANY = 100


@dataclass(frozen=True)
class Due:
    """`last` has come and not been started; `missed` says how many have, up to one more than many."""

    last: float | None
    missed: int
    next: float | None


def read(cron_job: Object) -> tuple[Schedule | Every, tzinfo]:
    """The schedule and its time zone. Raises InvalidArgument for what is neither."""
    schedule = parse(text(cron_job, "spec", "schedule"))
    return schedule, zone(text(cron_job, "spec", "timeZone"))


class UnknownTimeZone(InvalidArgument):
    """The host knows no time zone of this name."""


def zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownTimeZone(f"unknown time zone {name}") from None


def due(cron_job: Object, schedule: Schedule | Every, where: tzinfo, now: float) -> Due:
    began = moment(text(cron_job, "status", "lastScheduleTime")) or created(cron_job)
    since = began
    deadline = at(cron_job, "spec", "startingDeadlineSeconds")
    if isinstance(deadline, int):
        # Times that are too late to start are not even missed.
        since = max(since, now - deadline)
    last, missed = None, 0
    following = schedule.after(since, where)
    while following is not None and following <= now and missed <= MANY:
        last, missed = following, missed + 1
        following = schedule.after(following, where)
    if missed > MANY:
        last = _latest(schedule, where, since, now)
        following = schedule.after(now, where)
    return Due(last, missed, following)


def _latest(schedule: Schedule | Every, where: tzinfo, since: float, now: float) -> float | None:
    """The last time that has come, found by looking back twice as far each time."""
    back = 3600.0
    while True:
        start = max(now - back, since)
        latest, following = None, schedule.after(start, where)
        while following is not None and following <= now:
            latest, following = following, schedule.after(following, where)
        if latest is not None or start == since:
            return latest
        back *= 2
