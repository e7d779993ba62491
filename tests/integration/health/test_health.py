"""HEALTHCHECK, --health-* and probes: performed by the monitor, seen in ps, inspect and events."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.waiting import until

import jubako as package
from jubako.engine import CreateOptions
from jubako.engine.options import ProbeOptions
from jubako.errors import InvalidArgument
from jubako.spec.oci_image import Healthcheck

from ... import isolated

pytestmark = pytest.mark.root

MS = 1_000_000


@pytest.fixture
def engine(jubako) -> Iterator[package.Engine]:
    with package.Engine(jubako.root, jubako.run_root) as engine:
        yield engine


def run(jubako, *options: str, program: tuple[str, ...] = ("sleep", "1000")) -> str:
    return jubako("run", "-d", "--name", "web", "--network", "none", *options, "busybox", *program).strip()


def status(jubako) -> str:
    return json.loads(jubako("inspect", "web"))[0]["State"]["Health"]["Status"]


def started(engine, *, program=("sleep", "1000"), **options):
    record = engine.containers.create(
        CreateOptions(image="busybox", command=[*program], network="none", pull="never", **options)
    )
    engine.containers.start(record.id)
    return record.id


def probe(name, *command, **options):
    return ProbeOptions(name=name, command=[*command], **{"interval_ns": 50 * MS, **options})


def test_health_goes_from_starting_to_healthy_to_unhealthy_and_back(jubako):
    run(jubako, "--health-cmd", "test ! -e /sick", "--health-interval", "2s", "--health-retries", "1")
    assert re.search(r"Up .* \(health: starting\)", jubako("ps", "--format", "{{.Status}}"))
    until(lambda: status(jubako) == "healthy")
    assert jubako("ps", "--format", "{{.Status}}").endswith("(healthy)\n")
    jubako("exec", "web", "touch", "/sick")
    until(lambda: status(jubako) == "unhealthy")
    assert jubako("ps", "-q", "--filter", "health=unhealthy") != ""
    jubako("exec", "web", "rm", "/sick")
    until(lambda: status(jubako) == "healthy")


def test_each_change_of_health_is_one_event(jubako):
    identifier = run(jubako, "--health-cmd", "test ! -e /sick", "--health-interval", "100ms", "--health-retries", "1")
    until(lambda: status(jubako) == "healthy")
    jubako("exec", "web", "touch", "/sick")
    until(lambda: status(jubako) == "unhealthy")

    def told() -> list[str]:
        asked = ("--since", "10m", "--until", "0s", "--filter", f"container={identifier}", "--format", "{{.Action}}")
        return [line for line in jubako("events", *asked).splitlines() if line.startswith("health_status")]

    until(lambda: len(told()) == 2)
    assert told() == ["health_status: healthy", "health_status: unhealthy"]


def test_output_and_exit_code_of_the_last_five_are_kept(jubako):
    run(jubako, "--health-cmd", "echo once more; echo 'a \"b' >&2; exit 3", "--health-interval", "50ms")
    document = {}

    def full() -> bool:
        document.update(json.loads(jubako("inspect", "web"))[0]["State"]["Health"])
        return document["FailingStreak"] > 5

    until(full)
    assert len(document["Log"]) == 5
    assert {(each["ExitCode"], each["Output"]) for each in document["Log"]} == {(3, 'once more\na "b\n')}
    starts = [each["Start"] for each in document["Log"]]
    assert starts == sorted(starts)


def test_flood_of_a_check_is_cut_and_harms_nobody(jubako):
    run(jubako, "--health-cmd", "head -c 10000000 /dev/zero | tr '\\0' x", "--health-interval", "50ms")
    until(lambda: status(jubako) == "healthy")
    log = json.loads(jubako("inspect", "web"))[0]["State"]["Health"]["Log"]
    assert {len(each["Output"]) for each in log} == {4096}


def test_check_that_takes_too_long_is_killed_and_counts_as_a_failure(jubako):
    run(
        jubako,
        "--health-cmd",
        "sleep 1000",
        "--health-interval",
        "50ms",
        "--health-timeout",
        "200ms",
        "--health-retries",
        "2",
    )
    until(lambda: status(jubako) == "unhealthy")
    last = json.loads(jubako("inspect", "web"))[0]["State"]["Health"]["Log"][-1]
    assert (last["ExitCode"], last["Output"]) == (-1, "Health check exceeded timeout")
    assert jubako("exec", "web", "ps").count("sleep 1000") <= 2


def test_failures_in_the_start_period_do_not_count(jubako):
    options = ("--health-cmd", "false", "--health-interval", "100ms", "--health-retries", "1")
    run(jubako, *options, "--health-start-period", "2s", "--health-start-interval", "50ms")
    until(lambda: len(json.loads(jubako("inspect", "web"))[0]["State"]["Health"]["Log"]) >= 3)
    assert status(jubako) == "starting"
    until(lambda: status(jubako) == "unhealthy")


def test_check_of_the_image_is_used_unless_it_is_told_not_to(jubako, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM busybox\nHEALTHCHECK --interval=100ms CMD test -e /etc/passwd\n")
    jubako("build", "-q", "-t", "checked", str(tmp_path))
    try:
        jubako("run", "-d", "--name", "web", "--network", "none", "checked", "sleep", "1000")
        until(lambda: status(jubako) == "healthy")
        jubako("run", "-d", "--name", "quiet", "--no-healthcheck", "--network", "none", "checked", "sleep", "1000")
        document = json.loads(jubako("inspect", "quiet"))[0]
        assert "Health" not in document["State"]
        assert "Healthcheck" not in document["Config"]
    finally:
        jubako("rm", "-f", "web", "quiet")
        jubako("rmi", "-f", "checked")


def test_check_runs_as_the_containers_user_in_its_group_and_limits(engine):
    test = ["CMD", "sh", "-c", "id -u; grep CapEff /proc/self/status; grep Seccomp: /proc/self/status; pwd"]
    check = Healthcheck(test=test, interval=50 * MS)
    name = started(engine, healthcheck=check, user="1000:1000", workdir="/tmp")
    until(lambda: engine.containers.health(name).count)
    said = engine.containers.health(name).log[0].text.split()
    assert said == ["1000", "CapEff:", "0000000000000000", "Seccomp:", "2", "/tmp"]


def test_last_health_is_seen_after_the_end_and_begins_anew_with_the_next_start(jubako):
    run(jubako, "--health-cmd", "true", "--health-interval", "100ms")
    until(lambda: status(jubako) == "healthy")
    jubako("stop", "-t", "0", "web")
    assert status(jubako) == "healthy"
    left = Path(json.loads(jubako("inspect", "web"))[0]["HostsPath"]).parent / "probes/health"
    left.mkdir(parents=True, exist_ok=True)  # as a check leaves it that writes while the container is taken down
    jubako("start", "web")
    until(lambda: status(jubako) == "healthy")


def test_unhealthy_container_is_restarted_where_that_is_asked_for(jubako):
    options = ("--health-cmd", "test ! -e /tmp/sick", "--health-interval", "100ms", "--health-retries", "1")
    run(jubako, *options, "--health-on-failure", "restart", "--tmpfs", "/tmp", "--stop-timeout", "0")
    until(lambda: status(jubako) == "healthy")
    before = json.loads(jubako("inspect", "web"))[0]["State"]["Pid"]
    jubako("exec", "web", "touch", "/tmp/sick")
    until(lambda: json.loads(jubako("inspect", "web"))[0]["State"]["Pid"] not in (0, before))
    until(lambda: status(jubako) == "healthy")


def test_no_python_runs_while_checks_do(engine):
    check = Healthcheck(test=["CMD", "true"], interval=50 * MS)
    name = started(engine, healthcheck=check)
    until(lambda: engine.containers.health(name).count > 2)
    until(lambda: not [text for text in isolated.processes() if f" health {name}" in text])
    before = engine.containers.health(name).count
    python = set()
    while engine.containers.health(name).count < before + 5:
        python |= {text for text in isolated.processes() if name in text}
    assert python == set()


def test_probes_follow_each_other_and_have_thresholds_of_their_own(engine):
    first = probe("startup", "test", "-e", "/tmp/up", failures=1000)
    live = probe("live", "sh", "-c", "test ! -e /tmp/sick", after="startup", failures=2)
    ready = probe("ready", "true", after="startup", successes=3)
    name = started(engine, probes=[first, live, ready], tmpfs=["/tmp"])
    health = engine.containers.health
    until(lambda: health(name, "startup").count > 2)
    assert health(name, "live").count == health(name, "ready").count == 0
    run_in(engine, name, "touch", "/tmp/up")
    until(lambda: health(name, "ready").status == "healthy")
    assert health(name, "ready").count >= 3
    run_in(engine, name, "touch", "/tmp/sick")
    until(lambda: health(name, "live").status == "unhealthy")
    assert health(name, "live").failing_streak >= 2


def run_in(engine, name, *command):
    from jubako.engine.exec import ExecOptions

    handle = engine.containers.exec(name, ExecOptions(command=[*command]))
    assert handle.wait().code == 0
    handle.acknowledge()


def test_probe_of_a_program_that_is_not_there_fails_and_the_container_goes_on(engine):
    name = started(engine, probes=[probe("odd", "/no/such/program", failures=1)])
    until(lambda: engine.containers.health(name, "odd").status == "unhealthy")
    assert engine.containers.health(name, "odd").log[-1].code != 0
    assert engine.containers.get(name).phase == "running"


def test_end_of_the_container_ends_a_check_that_is_being_performed(engine):
    check = Healthcheck(test=["CMD", "sleep", "1000"], interval=50 * MS, timeout=60_000 * MS)
    name = started(engine, healthcheck=check)
    before = isolated.processes()
    until(lambda: len([text for text in isolated.processes() if "jubako-monitor" in text]) >= 2)
    engine.containers.kill(name)
    engine.containers.remove(name)
    until(lambda: not [text for text in isolated.processes() - before if "jubako-monitor" in text])


def test_killed_monitor_takes_its_checks_along(engine, jubako):
    check = Healthcheck(test=["CMD", "sleep", "1000"], interval=50 * MS, timeout=60_000 * MS)
    name = started(engine, healthcheck=check)
    directory = jubako.run_root / "containers" / name
    until(lambda: (directory / "probes/health/state").exists())
    performing = json.loads((directory / "probes/health/state").read_text())["monitor"]
    os.kill(json.loads((directory / "state").read_text())["monitor"], signal.SIGKILL)
    until(lambda: not Path(f"/proc/{performing}").exists())
    assert engine.containers.get(name).phase == "exited"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--health-interval", "10us", "--health-cmd", "true"), "cannot be less than 1ms"),
        (("--no-healthcheck", "--health-cmd", "true"), "--no-healthcheck conflicts with --health-* options"),
        (("--health-on-failure", "explode", "--health-cmd", "true"), "invalid action on failure"),
    ],
)
def test_check_that_cannot_be_is_refused(jubako, options, message):
    done = jubako.run("create", *options, "busybox", "true")
    assert done.returncode != 0
    assert message in done.stderr.decode()


@pytest.mark.parametrize(
    "probes",
    [[probe("a/b", "true")], [probe("x", "true"), probe("x", "true")], [probe("x")], [probe("x", "true", after="y")]],
)
def test_probes_that_cannot_be_are_refused(engine, probes):
    with pytest.raises(InvalidArgument):
        started(engine, probes=probes)


def test_end_of_the_container_while_a_check_runs_is_no_failure_and_restarts_nothing(engine):
    check = Healthcheck(test=["CMD", "sleep", "0.05"], interval=5 * MS, retries=1)
    for _ in range(5):
        name = started(engine, healthcheck=check, health_on_failure="restart")
        until(lambda name=name: engine.containers.health(name).status == "healthy")
        engine.containers.kill(name)
        assert engine.containers.get(name).phase == "exited"
        assert engine.containers.get(name).health.status == "healthy"
        engine.containers.remove(name)
