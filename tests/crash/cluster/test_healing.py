"""What is declared comes back: a container, its monitor, the control plane, all at once and the machine are killed.

Each pod writes into a directory of the machine when it runs, and holds a lock of its identity there: no identity of a
StatefulSet may ever run twice, at whatever moment something was killed.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients import web
from tests.crash.cluster.machine import Machine, Process, check_history, kill, make_image, recorder, workload

pytestmark = pytest.mark.root
KILLS = int(os.environ.get("JUBAKO_HEALING_KILLS", "16"))
DECLARED = {"db-0": 1, "db-1": 1, "db-2": 1, "free": 2}
# What was measured is an order below it; the machine of the test may have a lot else to do.
BOUND_S = 15.0


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    try:
        make_image(made)
        made.up()
        made.kubectl.apply(
            workload("StatefulSet", "db", 3, made.records, serviceName="db"),
            workload("Deployment", "free", 2, made.records),
        )
        until(made, lambda: is_declared(made), 60)
        yield made
    finally:
        made.remove()


def running(machine: Machine) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in machine.processes():
        name = "free" if each.identity.startswith("free-") else each.identity
        if name:
            found[name] = found.get(name, 0) + 1
    return found


def is_declared(machine: Machine) -> bool:
    """Whether what is declared runs, and the API says so."""
    return running(machine) == DECLARED and all(map(_is_rolled_out, machine.kubectl.read("sts,deployments")["items"]))


def _is_rolled_out(each: dict[str, Any]) -> bool:
    status, wanted = each["status"], each["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")]
    return counts == [wanted] * 4 and status["observedGeneration"] == each["metadata"]["generation"]


def until(machine: Machine, holds: Callable[[], bool], bound_s: float) -> float:
    """Wait until it holds; returns how long that took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() < begun + bound_s, machine.kubectl("get", "pods,events", "-o", "wide")
        time.sleep(0.02)
    return time.monotonic() - begun


def of(machine: Machine, identity: str) -> Process:
    return next(each for each in machine.processes() if each.identity.startswith(identity))


def healed(machine: Machine, what: str, before: set[int]) -> None:
    """Wait for the declared state with none of the processes of `before`, and tell how long it took."""
    took = until(machine, lambda: not before & _pids(machine) and is_declared(machine), BOUND_S)
    print(f"{what}: as declared after {took:.2f} s")  # noqa: T201


def _pids(machine: Machine) -> set[int]:
    return {each.pid for each in machine.processes()}


def test_two_of_one_identity_would_be_seen(tmp_path: Path) -> None:
    program = recorder(tmp_path)
    runs = [
        subprocess.Popen([program, tmp_path], env={"IDENTITY": "db-0", "UID": uid}, stdin=subprocess.DEVNULL)
        for uid in "ab"
    ]
    history = tmp_path / "history"
    while not history.exists() or not all(f"tick db-0 {uid}" in history.read_text() for uid in "ab"):
        time.sleep(0.01)
    for each in runs:
        each.terminate()
        assert each.wait(10) == 0
    wrong = check_history(tmp_path)
    assert any("ran beside itself" in each for each in wrong)
    assert any("still there" in each for each in wrong)


def test_a_killed_container_or_monitor_is_replaced(machine: Machine) -> None:
    for what, identity, victims in (
        ("container", "db-0", lambda each: (each.pid,)),
        ("monitor", "db-1", lambda each: (each.monitor,)),
        ("container and monitor", "db-2", lambda each: (each.monitor, each.pid)),
    ):
        victim = of(machine, identity)
        kill(*victims(victim))
        healed(machine, what, {victim.pid})
    assert machine.kubectl.one(".items[*].status.containerStatuses[0].restartCount", "pods", "-l", "app=db") == "1 1 1"
    assert check_history(machine.records) == []


def test_what_a_killed_control_plane_left_running_is_adopted(machine: Machine) -> None:
    before = _pids(machine)
    kill(machine.control_plane())
    assert running(machine) == DECLARED
    machine.up()
    took = until(machine, lambda: is_declared(machine), BOUND_S)
    print(f"control plane: as declared after {took:.2f} s")  # noqa: T201
    assert _pids(machine) == before
    gone = of(machine, "db-1")
    kill(machine.control_plane(), gone.pid)
    machine.up()
    healed(machine, "control plane and a container", {gone.pid})
    assert check_history(machine.records) == []


def test_all_at_once(machine: Machine) -> None:
    everything = machine.processes()
    kill(machine.control_plane(), *(each.monitor for each in everything), *(each.pid for each in everything))
    machine.up()
    healed(machine, "all at once", {each.pid for each in everything})
    assert check_history(machine.records) == []


def test_a_reboot_brings_everything_back(machine: Machine) -> None:
    uids = machine.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}").split()
    before = _pids(machine)
    machine.reboot()
    machine.up()
    healed(machine, "reboot", before)
    assert sorted(machine.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}").split()) == sorted(uids)
    assert check_history(machine.records) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_no_identity_ever_runs_twice(machine: Machine, seed: int) -> None:
    """Kills at random moments, also while pods are replaced one by one and deleted."""
    chance = random.Random(seed)
    for number in range(KILLS):
        act = chance.choice(["control plane", "control plane", "container", "monitor", "update", "delete", "all"])
        if act == "update":
            machine.kubectl("set", "env", "sts/db", f"ROUND={number}")
        elif act == "delete":
            machine.kubectl("delete", "pod", f"db-{chance.randrange(3)}", "--wait=false", "--ignore-not-found")
        else:
            kill(*victims(machine, act, chance))
        time.sleep(chance.uniform(0, 0.4))
        machine.up()
        time.sleep(chance.uniform(0, 0.8))
    # A container that was killed twice waits for its next start, as everywhere.
    took = until(machine, lambda: is_declared(machine), 120)
    print(f"{KILLS} kills: as declared after {took:.2f} s")  # noqa: T201
    assert check_history(machine.records) == []
    assert (machine.records / "history").read_text().count("start db-") > 3


def victims(machine: Machine, act: str, chance: random.Random) -> list[int]:
    running = machine.processes()
    one = chance.choice(running) if running else None
    everything = [pid for each in running for pid in (each.monitor, each.pid)]
    return {
        "control plane": [machine.control_plane()],
        "container": [one.pid] if one else [],
        "monitor": [one.monitor] if one else [],
        "all": [machine.control_plane(), *everything],
    }[act]


def test_what_nobody_touched_goes_on_serving(machine: Machine, tmp_path: Path) -> None:
    """A client asks a service all the time, while all around it the control plane and other pods are killed."""
    client = web.build(tmp_path)
    web.make_image(machine.jubako, client)
    machine.kubectl.apply(web.deployment("one", 2), web.service())
    machine.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
    port = machine.kubectl.read("service", "web")["spec"]["ports"][0]["nodePort"]
    host = machine.kubectl.one(".items[0].status.addresses[0].address", "nodes")
    asking = [
        subprocess.Popen(
            [*machine.within, client, *web.asking(host, port, 50, 12, way)], stdout=subprocess.PIPE, text=True
        )
        for way in ("close", "keep")
    ]
    for _ in range(3):
        kill(machine.control_plane(), *(each.pid for each in machine.processes() if each.identity.startswith("db-")))
        time.sleep(0.5)
        machine.up()
        time.sleep(1)
    for each in asking:
        count = web.counted(each.communicate(timeout=60)[0])
        assert count.failures == []
        assert count.asked > 50 * 12 * 0.9
