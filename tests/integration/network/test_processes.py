"""Many processes at once, and processes that are killed in the middle."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.network import Networks
from jubako.network.record import PortClaim
from jubako.store import Store

from .conftest import Start
from .world import HOST, World

pytestmark = pytest.mark.root

ROUNDS = 12
PROCESSES = 8


class Workers:
    """Worker processes on the host of the test's world; none survives the test."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, action: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(Path(__file__).with_name("worker.py")), action, str(self._root), *arguments]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.processes.append(process)
        return process

    def kill(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.communicate()
        self.processes.clear()


@pytest.fixture
def workers(world: World, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path / "root")
    yield made
    made.kill()


def lines_until_ready(process: subprocess.Popen[str]) -> list[list[str]]:
    assert process.stdout
    found = []
    for line in process.stdout:
        if line == "ready\n":
            return found
        if line != "imported\n":
            found.append(line.split())
    raise AssertionError(f"the worker ended with {process.wait()}")


def test_many_processes_connect_at_once_from_nothing(world: World, networks: Networks, workers: Workers) -> None:
    processes = [workers.start("hold", "4") for _ in range(PROCESSES)]
    found = [line for process in processes for line in lines_until_ready(process)]
    assert len({ip for ip, _port in found}) == len({port for _ip, port in found}) == 4 * PROCESSES
    assert len(networks.endpoints(networks.get("bridge"))) == 4 * PROCESSES
    for _ip, port in found:
        with world.outside.socket() as client:
            client.connect((HOST, int(port)))
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    workers.processes.clear()
    assert world.settled_links() == [networks.get("bridge").bridge]
    assert networks.teardown()
    assert world.ruleset() == ""


def test_reconcile_spares_what_a_living_process_has_reserved(
    networks: Networks, workers: Workers, start: Start
) -> None:
    lines_until_ready(workers.start("hold", "1"))
    dead = workers.start("hold", "1")
    lines_until_ready(dead)
    assert len(networks.endpoints(networks.get("bridge"))) == 2
    dead.kill()
    dead.wait()
    networks.reconcile(set())
    assert len(networks.endpoints(networks.get("bridge"))) == 1


def test_reconcile_spares_the_living(world: World, networks: Networks, workers: Workers) -> None:
    process = workers.start("hold", "2")
    lines_until_ready(process)
    workers.kill()
    one, other = networks.endpoints(networks.get("bridge"))
    networks.reconcile({one.container_id})
    assert networks.endpoints(networks.get("bridge")) == [one]
    assert f"tcp . {one.ports[0].host_port} " in world.ruleset()
    assert f"tcp . {other.ports[0].host_port} " not in world.ruleset()
    networks.reconcile(set())
    assert f"tcp . {one.ports[0].host_port} " not in world.ruleset()


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_killed_at_any_moment_nothing_is_left(
    world: World, networks: Networks, workers: Workers, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    started = [workers.start("churn") for _ in range(2)]
    for process in started:
        assert process.stdout
        assert process.stdout.readline() == "imported\n"
    # Half of the rounds end while bridge and table are being made, the others in the middle of the churning.
    try:
        started[0].wait(chance.uniform(0, 0.1 if seed % 2 else 0.6))
    except subprocess.TimeoutExpired:
        workers.kill()
    networks.reconcile(set())
    assert networks.endpoints(networks.get("bridge")) == []
    with Store.open(tmp_path / "root") as store:
        assert store.records.collection("port", PortClaim).keys() == []
    assert " : 10." not in world.ruleset()
    assert set(world.settled_links()) <= {networks.get("bridge").bridge}
    assert networks.teardown()
    assert world.settled_links() == []
    assert world.ruleset() == ""


def test_reconcile_removes_links_and_ports_that_have_no_record(world: World, networks: Networks, start: Start) -> None:
    web = start("web", "8080:80")
    names, table = networks.names, networks.names.table
    world.host.run(f"ip link add {names.link('ab' * 32)} type veth peer name ghost; ip link set ghost up")
    world.host.run(f"ip link set {names.link('ab' * 32)} up; ip link add {names.bridge('cd' * 32)} type bridge")
    world.host.run(f"nft 'add element ip {table} published_any {{ tcp . 9090 : 10.9.9.9 . 90 }}'")
    world.host.run(f"nft 'add element ip {table} published {{ 127.0.0.1 . udp . 9090 : 10.9.9.9 . 90 }}'")
    networks.reconcile({"id-web"})
    assert world.links() == sorted([networks.get("bridge").bridge, web.endpoint.link])
    assert "9090" not in world.ruleset()
    with web.listen(80) as server, socket.socket() as client:
        client.connect(("127.0.0.1", 8080))
        server.accept()[0].close()
