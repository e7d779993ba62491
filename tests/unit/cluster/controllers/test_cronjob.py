from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.unit.cluster.simulation import Simulation, stamp

from jubako.cluster.controllers import cronjob
from jubako.cluster.controllers.kinds import CRON_JOB, JOB
from jubako.cluster.types.schedule import parse
from jubako.errors import InvalidArgument


def at(written: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(zone)).timestamp()


def local(moment: float | None, zone: str = "UTC") -> str:
    assert moment is not None
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        ("*/15 * * * *", "2024-01-01 00:00", "2024-01-01 00:15"),
        ("0 0 1 1 *", "2024-01-01 00:00", "2025-01-01 00:00"),
        ("30 4 * * mon-fri", "2024-01-05 05:00", "2024-01-08 04:30"),
        ("0 12 13 * 5", "2024-09-01 00:00", "2024-09-06 12:00"),
        ("0 0 29 2 *", "2024-03-01 00:00", "2028-02-29 00:00"),
        ("5/20 * * * ?", "2024-01-01 00:06", "2024-01-01 00:25"),
        ("0 9-17/4 * jan,MAR 0", "2024-01-01 00:00", "2024-01-07 09:00"),
        ("@hourly", "2024-01-01 00:30", "2024-01-01 01:00"),
        ("@weekly", "2024-01-01 00:30", "2024-01-07 00:00"),
        ("@every 1h30m", "2024-01-01 00:00", "2024-01-01 01:30"),
    ],
)
def test_the_next_time_of_a_schedule(schedule: str, after: str, expected: str) -> None:
    assert local(parse(schedule).after(at(after), UTC)) == expected


def test_a_date_that_never_comes_has_no_next_time() -> None:
    assert parse("0 0 31 2 *").after(at("2024-01-01 00:00"), UTC) is None


def test_an_hour_that_the_clock_skips_does_not_come() -> None:
    zone = ZoneInfo("Europe/Berlin")
    following = parse("30 2 * * *").after(at("2024-03-30 12:00", "Europe/Berlin"), zone)
    assert local(following, "Europe/Berlin") == "2024-04-01 02:30"


def test_an_hour_that_the_clock_repeats_comes_twice() -> None:
    zone = ZoneInfo("Europe/Berlin")
    first = parse("30 2 * * *").after(at("2024-10-26 12:00", "Europe/Berlin"), zone)
    assert first is not None
    second = parse("30 2 * * *").after(first, zone)
    assert second is not None
    assert second - first == 3600


@pytest.mark.parametrize(
    "schedule", ["", "* * * *", "60 * * * *", "* * 0 * *", "5-1 * * * *", "*/0 * * * *", "x * * * *", "@often"]
)
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(InvalidArgument):
        parse(schedule)


@pytest.fixture
def sim() -> Simulation:
    found = Simulation([cronjob.CONTROLLER])
    found.clock.time = at("2024-01-01 00:00:30")
    return found


def make(sim: Simulation, schedule: str = "*/5 * * * *", **spec: Any) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"template": {"spec": {"containers": []}}}}
    wanted = {"schedule": schedule, "concurrencyPolicy": "Allow", "jobTemplate": template, **spec}
    sim.api.add({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"}, "spec": wanted})
    sim.settle()


def jobs(sim: Simulation) -> list[str]:
    return sorted(each["metadata"]["name"] for each in sim.api.all(JOB))


def scheduled(sim: Simulation) -> list[str]:
    key = "batch.kubernetes.io/cronjob-scheduled-timestamp"
    return sorted(each["metadata"]["annotations"][key][11:16] for each in sim.api.all(JOB))


def finish(sim: Simulation, type_: str = "Complete") -> None:
    for each in sim.api.all(JOB):
        if not each.get("status"):
            condition = {"type": type_, "status": "True", "lastTransitionTime": stamp(sim.clock.now())}
            sim.api.change(each, conditions=[condition])
    sim.settle()


def status(sim: Simulation) -> dict[str, Any]:
    found: dict[str, Any] = sim.api.find(CRON_JOB, "c").get("status", {})
    return found


def test_a_job_is_made_at_each_time_and_named_by_it(sim: Simulation) -> None:
    make(sim)
    assert jobs(sim) == []
    sim.advance(600)
    assert scheduled(sim) == ["00:05", "00:10"]
    minutes = int(at("2024-01-01 00:05")) // 60
    assert f"c-{minutes}" in jobs(sim)
    assert status(sim)["lastScheduleTime"] == "2024-01-01T00:10:00Z"
    assert sorted(each["name"] for each in status(sim)["active"]) == jobs(sim)
    assert ("Normal", "SuccessfulCreate", f"Created job c-{minutes}") in sim.api.events()


def test_forbid_waits_for_the_one_that_runs_and_then_starts_the_last_that_was_due(sim: Simulation) -> None:
    make(sim, concurrencyPolicy="Forbid")
    sim.advance(900)
    assert scheduled(sim) == ["00:05"]
    assert (
        "Normal",
        "JobAlreadyActive",
        "Not starting job because prior execution is running and concurrency policy is Forbid",
    ) in sim.api.events()
    finish(sim)
    assert scheduled(sim) == ["00:05", "00:15"]
    assert status(sim)["lastSuccessfulTime"] == stamp(sim.clock.now())


def test_replace_deletes_the_one_that_runs(sim: Simulation) -> None:
    make(sim, concurrencyPolicy="Replace")
    sim.advance(600)
    assert scheduled(sim) == ["00:10"]


def test_what_is_too_late_to_start_is_not_started(sim: Simulation) -> None:
    make(sim, concurrencyPolicy="Forbid", startingDeadlineSeconds=60)
    sim.advance(400)
    sim.advance(300)
    finish(sim)
    assert scheduled(sim) == ["00:05"]
    sim.advance(300)
    assert scheduled(sim) == ["00:05", "00:15"]


def test_a_suspended_one_makes_nothing_and_goes_on_with_the_last_that_was_missed(sim: Simulation) -> None:
    make(sim, suspend=True)
    sim.advance(1000)
    assert jobs(sim) == []
    sim.api.edit(CRON_JOB, "c", lambda each: each["spec"].update(suspend=False))
    sim.settle()
    assert scheduled(sim) == ["00:15"]


def test_more_than_a_hundred_missed_times_are_told_of_and_the_last_is_started(sim: Simulation) -> None:
    make(sim, "* * * * *", suspend=True)
    sim.advance(3 * 3600)
    sim.api.edit(CRON_JOB, "c", lambda each: each["spec"].update(suspend=False))
    sim.settle()
    assert scheduled(sim) == ["03:00"]
    assert "TooManyMissedTimes" in [reason for _, reason, _ in sim.api.events()]


def test_history_is_kept_to_its_limits(sim: Simulation) -> None:
    make(sim, successfulJobsHistoryLimit=2, failedJobsHistoryLimit=0)
    for kind in ("Complete", "Failed", "Complete", "Complete"):
        sim.advance(300)
        finish(sim, kind)
    assert scheduled(sim) == ["00:15", "00:20"]


def test_a_finished_job_is_told_of_and_leaves_the_active_ones(sim: Simulation) -> None:
    make(sim)
    sim.advance(300)
    (name,) = jobs(sim)
    finish(sim)
    assert "active" not in status(sim)
    assert ("Normal", "SawCompletedJob", f"Saw completed job: {name}, condition: Complete") in sim.api.events()


def test_times_are_those_of_the_time_zone(sim: Simulation) -> None:
    make(sim, "0 3 * * *", timeZone="Asia/Tokyo")
    sim.advance(24 * 3600)
    assert scheduled(sim) == ["18:00"]


@pytest.mark.parametrize(
    ("spec", "reason"), [({"schedule": "bad"}, "UnparseableSchedule"), ({"timeZone": "Mars/Base"}, "UnknownTimeZone")]
)
def test_what_cannot_be_read_is_told_of(sim: Simulation, spec: dict[str, Any], reason: str) -> None:
    make(sim, **{"schedule": "* * * * *", **spec})
    sim.advance(300)
    assert jobs(sim) == []
    assert [each[1] for each in sim.api.events()] == [reason]


def test_a_crash_after_the_job_was_made_does_not_make_it_twice(sim: Simulation) -> None:
    make(sim)
    sim.api.refuse = lambda verb, document: (
        InvalidArgument("down") if verb == "update" and document["kind"] == "CronJob" else None
    )
    sim.advance(300)
    assert scheduled(sim) == ["00:05"]
    sim.api.refuse = lambda verb, document: None
    sim.restart()
    sim.advance(1)
    assert scheduled(sim) == ["00:05"]
    assert status(sim)["lastScheduleTime"] == "2024-01-01T00:05:00Z"
