"""A rolling update and a rollback while 200 requests come in each second: none of them fails."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients import web
from tests.clients.kubectl import NEW, Kubectl, cluster, program
from tests.conftest import Cli

pytestmark = [pytest.mark.clients, pytest.mark.root]
RATE, SECONDS = 40, 25
STATUS = ("rollout", "status", "deployment/web", "--timeout=60s")


class Site:
    """A cluster with a web deployment of three pods behind a service."""

    def __init__(self, kubectl: Kubectl, client: Path) -> None:
        self.kubectl, self.client = kubectl, client
        kubectl.apply(web.deployment("one"), web.service())
        kubectl(*STATUS)
        spec = kubectl.read("service", "web")["spec"]
        self.address, self.node_port = spec["clusterIP"], spec["ports"][0]["nodePort"]
        self.host = kubectl.one(".items[0].status.addresses[0].address", "nodes")

    def from_here(self, address: str, port: int, way: str) -> subprocess.Popen[str]:
        words = web.asking(address, port, RATE, SECONDS, way)
        return subprocess.Popen([self.client, *words], stdout=subprocess.PIPE, text=True)

    def from_pod(self, way: str) -> str:
        """Start a client in a pod; returns its name."""
        container = {"name": "ask", "image": web.IMAGE, "args": web.asking(self.address, 80, RATE, SECONDS, way)}
        spec = {"containers": [container], "restartPolicy": "Never"}
        self.kubectl.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"ask-{way}"}, "spec": spec})
        return f"ask-{way}"

    def of_pod(self, name: str) -> str:
        self.kubectl(
            "wait", "--for=jsonpath={.status.containerStatuses[0].state.terminated}", f"pod/{name}", "--timeout=60s"
        )
        return self.kubectl("logs", name)

    def clean_up(self) -> None:
        self.kubectl("delete", "pods", "--all", "--wait=false")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    base = tmp_path_factory.mktemp("site")
    client = web.build(tmp_path_factory.mktemp("web"))
    with cluster(base) as kubeconfig:
        web.make_image(Cli(base / "root", base / "run"), client)
        yield Site(Kubectl(program(NEW), kubeconfig), client)


def test_no_request_fails_while_pods_are_replaced(site: Site) -> None:
    kubectl = site.kubectl
    pods = [site.from_pod(way) for way in ("close", "keep")]
    here = {
        f"{where} {way}": site.from_here(*to, way)
        for where, to in (("address", (site.address, 80)), ("node port", (site.host, site.node_port)))
        for way in ("close", "keep")
    }
    begun, rounds = time.monotonic(), 0
    while time.monotonic() - begun < SECONDS * 0.6:
        rounds += 1
        kubectl("set", "env", "deployment/web", "VERSION=two")
        kubectl(*STATUS)
        kubectl("rollout", "undo", "deployment/web")
        kubectl(*STATUS)
        for replicas in (1, 3):
            kubectl("scale", "deployment/web", f"--replicas={replicas}")
            kubectl(*STATUS)
    assert time.monotonic() - begun < SECONDS, "the load ended before the work"
    counts = {name: web.counted(client.communicate(timeout=60)[0]) for name, client in here.items()}
    counts |= {name: web.counted(site.of_pod(name)) for name in pods}
    slowest, asked = (max(each.slowest_ms for each in counts.values()), sum(each.asked for each in counts.values()))
    print(f"{rounds} updates and rollbacks, {asked} requests, the slowest {slowest} ms")  # noqa: T201
    assert {name: count.failures for name, count in counts.items() if count.failures} == {}
    for name, count in counts.items():
        assert count.asked > RATE * SECONDS * 0.5, name
        assert {"one", "two"} <= set(count.answers), name


def test_a_pod_that_is_not_ready_gets_nothing_and_none_fails(site: Site) -> None:
    """An update to what never becomes ready stops, and the old pods go on serving."""
    kubectl = site.kubectl
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    patch = '[{"op":"replace","path":"/spec/template/spec/containers/0/readinessProbe/httpGet/port","value":9}]'
    kubectl("patch", "deployment", "web", "--type=json", "-p", patch)
    client = subprocess.run(
        [site.client, *web.asking(site.address, 80, RATE, 5, "close")], capture_output=True, text=True, timeout=60
    )
    assert web.counted(client.stdout).failures == []
    status = kubectl.read("deployment", "web")["status"]
    assert (status["availableReplicas"], status["updatedReplicas"]) == (3, 1)
    kubectl("rollout", "undo", "deployment/web")
    kubectl(*STATUS)
