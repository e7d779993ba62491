"""pause, resume, ps, update, events and features of `jubako-oci`, with runc's words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
from tests.waiting import until

from jubako.linux import cgroup

from .oci import Oci, group_name

pytestmark = pytest.mark.root


def refused(oci: Oci, *arguments: str) -> str:
    done = oci(*arguments)
    assert done.returncode == (255 if arguments[0] == "exec" else 1)
    return done.stderr.removeprefix("jubako-oci: ").strip()


def test_a_paused_container_stands_still_and_says_so(oci: Oci) -> None:
    counter = oci.base / "count"
    oci.mount(oci.base, "/tmp")
    oci.configure(
        "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i > /tmp/count.new; mv /tmp/count.new /tmp/count; done"
    )
    oci.create("one")
    assert oci("start", "one").returncode == 0
    while not counter.exists():
        time.sleep(0.01)
    assert oci("pause", "one").returncode == 0
    assert oci.status("one") == "paused"
    before = counter.read_text()
    time.sleep(0.2)
    assert counter.read_text() == before
    assert refused(oci, "pause", "one") == "container not running"
    assert refused(oci, "exec", "one", "true") == (
        "cannot exec in a paused container (use --ignore-paused to override)"
    )
    assert refused(oci, "delete", "one") == "cannot delete container one that is not stopped: paused"
    assert oci("resume", "one").returncode == 0
    assert oci.status("one") == "running"
    assert refused(oci, "resume", "one") == "container not paused"
    while counter.read_text() == before:
        time.sleep(0.01)


def test_a_paused_container_can_be_deleted_by_force(running: Oci) -> None:
    assert running("pause", "one").returncode == 0
    assert running("delete", "--force", "one").returncode == 0
    assert refused(running, "state", "one") == "container does not exist: one"


def test_ps_shows_the_containers_processes_alone(running: Oci) -> None:
    pid = json.loads(running("state", "one").stdout)["pid"]
    assert json.loads(running("ps", "--format", "json", "one").stdout) == [pid]
    head, line = running("ps", "one").stdout.splitlines()
    assert head.split()[:2] == ["UID", "PID"]
    assert line.split()[1] == str(pid)
    assert running("ps", "one", "-o", "pid,comm", "-e").stdout.split() == ["PID", "COMMAND", str(pid), "sleep"]
    assert "bad" in refused(running, "ps", "--format", "bad", "one")


def test_update_changes_what_is_named_and_nothing_else(running: Oci) -> None:
    assert running("update", "--memory", "64m", "--pids-limit", "33", "--cpu-share", "512", "one").returncode == 0
    now = cgroup.manager().open(group_name("one")).stats()
    assert (now.memory_limit, now.pids_limit) == (64 << 20, 33)
    changes = running.base / "changes.json"
    changes.write_text(json.dumps({"pids": {"limit": 44}}))
    assert running("update", "-r", str(changes), "one").returncode == 0
    now = cgroup.manager().open(group_name("one")).stats()
    assert (now.memory_limit, now.pids_limit) == (64 << 20, 44)
    assert running("update", "one").returncode == 0


def test_update_takes_a_burst_away_again(running: Oci) -> None:
    file = "cpu.cfs_burst_us" if running.setting("one", "cpu.cfs_burst_us") else "cpu.max.burst"
    assert running("update", "--cpu-period", "900000", "--cpu-quota", "900000", "one").returncode == 0
    assert running("update", "--cpu-burst", "500000", "one").returncode == 0
    assert running.setting("one", file) == "500000"
    assert running("update", "--memory", "64m", "one").returncode == 0
    assert running.setting("one", file) == "500000"
    assert running("update", "--cpu-burst", "0", "one").returncode == 0
    assert running.setting("one", file) == "0"


@pytest.mark.parametrize("gone", [False, True])
def test_kill_ends_all_that_has_no_init_that_it_would_end_with(oci: Oci, gone: bool) -> None:
    """As runc from 1.2 on: without a pid namespace of its own, and even when the first process has ended."""
    oci.edit(lambda config: [config["linux"]["namespaces"].remove({"type": "pid"})])
    oci.configure("sh", "-c", "sleep 1000 & sleep 1000 & wait")
    oci.create("one")
    assert oci("start", "one").returncode == 0
    group = cgroup.manager().open(group_name("one"))
    until(lambda: len(group.pids()) == 3)
    if gone:
        os.kill(json.loads(oci("state", "one").stdout)["pid"], signal.SIGKILL)
        oci.wait_for("one", "stopped")
        assert len(group.pids()) == 2
    assert oci("kill", "one", "KILL").returncode == 0
    until(lambda: group.pids() == [])
    oci.wait_for("one", "stopped")
    assert refused(oci, "kill", "one", "KILL") == "container not running"


@pytest.mark.parametrize(
    ("option", "value"),
    [("--memory", "64x"), ("--pids-limit", "many"), ("--cpu-share", "1.5"), ("-r", "/no/such/file")],
)
def test_update_names_what_it_can_not_read(running: Oci, option: str, value: str) -> None:
    assert value in refused(running, "update", option, value, "one")


def test_events_tell_use_once_with_stats(running: Oci) -> None:
    event = json.loads(running("events", "--stats", "one").stdout)
    assert (event["type"], event["id"], event["data"]["pids"]["current"]) == ("stats", "one", 1)
    assert event["data"]["memory"]["usage"]["usage"] > 0
    assert event["data"]["cpu"]["usage"]["total"] > 0


def test_events_go_on_until_the_container_ends(running: Oci) -> None:
    with subprocess.Popen(running.command("events", "--interval", "100ms", "one"), stdout=subprocess.PIPE) as events:
        assert events.stdout
        assert [json.loads(events.stdout.readline())["type"] for _ in range(2)] == ["stats", "stats"]
        assert running("kill", "one", "KILL").returncode == 0
        assert events.wait(30) == 0
    assert "greater than 0" in refused(running, "events", "--interval", "0s", "one")


def test_a_stopped_container_is_refused_in_runcs_words(running: Oci) -> None:
    assert running("kill", "one", "KILL").returncode == 0
    while running.status("one") != "stopped":
        time.sleep(0.01)
    assert refused(running, "start", "one") == "cannot start a container that has stopped"
    assert refused(running, "exec", "one", "true") == "cannot exec in a stopped container"
    for command in ("pause", "update", "kill"):
        assert refused(running, command, "one") == "container not running"
    assert running("ps", "--format", "json", "one").stdout == "[]\n"


def test_features_are_those_of_the_tables(oci: Oci) -> None:
    document = json.loads(oci("features").stdout)
    assert {"ro", "rro", "rbind", "nosymfollow", "rslave"} <= set(document["mountOptions"])
    assert "SCMP_ACT_ERRNO" in document["linux"]["seccomp"]["actions"]
    assert document["linux"]["namespaces"] == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]
    assert document["hooks"] == [
        "prestart",
        "createRuntime",
        "createContainer",
        "startContainer",
        "poststart",
        "poststop",
    ]
