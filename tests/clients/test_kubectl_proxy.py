"""pods/proxy and services/proxy: kubectl's --raw, and a browser through `kubectl proxy`; today's and 1.20's."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.clients.kubectl import NEW, OLD, Kubectl, cluster, program

pytestmark = [pytest.mark.clients, pytest.mark.root]

PORT, HOST_PORT, UPLOAD_BYTES = 8080, 18081, 20_000_000
PODS, SERVICES = "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/services"


def pod(name: str, command: str, **spec: Any) -> dict[str, Any]:
    probe = {"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1}
    container = {
        "name": "c", "image": "busybox:1", "command": ["sh", "-c", command], "ports": [{"containerPort": PORT}],
        "readinessProbe": probe,
    }  # fmt: skip
    whole = {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": whole}


def service(name: str) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": PORT}]
    spec = {"selector": {"app": name}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Lends the kubeconfig of a cluster with a pod `web` in whose network a server listens, one that is never ready,
    and one in the host's network."""
    with cluster(tmp_path_factory.mktemp("cluster")) as kubeconfig:
        kubectl = Kubectl(program(NEW), kubeconfig)
        kubectl.apply(pod("web", "touch /tmp/ready; sleep 1000"), service("web"))
        kubectl("wait", "--for=condition=Ready", "pod/web", "--timeout=50s")
        [network] = (kubeconfig.parent / "run/pods").glob("*/net")
        serve = (
            "mkdir /tmp/w; cd /tmp/w; echo of the host > index.html; echo '<a href=/x>x</a>' > page.html; "
            f"touch /tmp/ready; httpd -f -p {HOST_PORT} -h /tmp/w"
        )
        kubectl.apply(pod("host", serve, hostNetwork=True), pod("slow", "sleep 1000"), service("slow"))
        kubectl("wait", "--for=condition=Ready", "pod/host", "--timeout=50s")
        command = [
            "nsenter",
            f"--net={network}",
            sys.executable,
            str(Path(__file__).with_name("greeter.py")),
            str(PORT),
        ]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as greeter:
            assert greeter.stdout is not None
            assert greeter.stdout.readline() == b"listening\n"
            yield kubeconfig
            greeter.communicate()


@pytest.fixture(params=[NEW, OLD])
def kubectl(request: pytest.FixtureRequest, served: Path) -> Kubectl:
    return Kubectl(program(request.param), served)


@contextmanager
def proxying(kubectl: Kubectl) -> Iterator[str]:
    """Lends the address of a `kubectl proxy`."""
    process = kubectl.start("proxy", "--port=0")
    try:
        assert process.stdout is not None
        found = re.search(r"127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        yield f"http://{found[0]}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize(
    "path",
    [f"{SERVICES}/web:80", f"{SERVICES}/web:http", f"{SERVICES}/http:web:80", f"{PODS}/web", f"{PODS}/web:{PORT}"],
)
def test_get_raw_reaches_what_listens(kubectl: Kubectl, path: str) -> None:
    assert kubectl("get", "--raw", f"{path}/proxy/hello?a=1&watch=x") == "hello a=1&watch=x"


def test_a_pod_in_the_network_of_the_host_is_reached(kubectl: Kubectl) -> None:
    assert kubectl("get", "--raw", f"{PODS}/host:{HOST_PORT}/proxy/") == "of the host\n"


def test_links_of_a_page_lead_through_the_proxy(kubectl: Kubectl) -> None:
    path = f"{PODS}/host:{HOST_PORT}/proxy"
    assert kubectl("get", "--raw", f"{path}/page.html") == f"<a href={path}/x>x</a>\n"


def test_what_is_sent_arrives(kubectl: Kubectl, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(bytes(UPLOAD_BYTES))
    told = kubectl("create", "--raw", f"{SERVICES}/web:80/proxy/count", "-f", str(tmp_path / "big"))
    assert told == str(UPLOAD_BYTES)


def test_what_is_not_ready_or_not_there_is_told(kubectl: Kubectl) -> None:
    assert 'no endpoints available for service "slow:80"' in kubectl.refused(
        "get", "--raw", f"{SERVICES}/slow:80/proxy/"
    )
    assert 'pods "none" not found' in kubectl.refused("get", "--raw", f"{PODS}/none/proxy/")
    closed = kubectl.refused("get", "--raw", f"{PODS}/web:81/proxy/")
    assert re.search(r"error trying to reach service: dial tcp [\d.]+:81: connect: connection refused", closed)


def test_rights_are_those_of_the_method(kubectl: Kubectl) -> None:
    def may(verb: str) -> bool:
        asked = ("auth", "can-i", verb, "pods", "--subresource=proxy", "--as=system:serviceaccount:default:other")
        return kubectl.run(*asked).stdout.strip() == "yes"

    role = f"reader-{int(kubectl.is_old)}"
    kubectl("create", "role", role, "--verb=get", "--resource=pods/proxy")
    assert not may("get")
    kubectl("create", "rolebinding", role, f"--role={role}", "--serviceaccount=default:other")
    assert (may("get"), may("create")) == (True, False)
    reached = kubectl("get", "--raw", f"{PODS}/web/proxy/hello", "--as=system:serviceaccount:default:other")
    assert reached == "hello "
    refused = kubectl.refused(
        "get", "--raw", f"{SERVICES}/web:80/proxy/hello", "--as=system:serviceaccount:default:other"
    )
    assert 'cannot get resource "services/proxy"' in refused
    kubectl("delete", f"role/{role}", f"rolebinding/{role}")


def test_a_browser_follows_redirects_and_talks_on_websockets(kubectl: Kubectl) -> None:
    async def talk(address: str) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(f"{address}/talk") as socket:
            assert await socket.receive_str() == "welcome"
            await socket.send_str("x" * 300_000)
            assert len(await socket.receive_str()) == 300_000

    with proxying(kubectl) as local:
        address = f"{local}{SERVICES}/web:80/proxy"
        with urllib.request.urlopen(f"{address}/go", timeout=20) as answer:
            assert (answer.url, answer.read()) == (f"{address}/hello?again", b"hello again")
        asyncio.run(asyncio.wait_for(talk(address), 20))


def test_a_body_that_kubectl_proxy_carries_is_streamed(kubectl: Kubectl) -> None:
    with proxying(kubectl) as local:
        url = f"{local}{PODS}/web:{PORT}/proxy/count"
        begun = time.monotonic()
        with urllib.request.urlopen(url, data=bytes(UPLOAD_BYTES), timeout=30) as answer:
            assert answer.read() == b"%d" % UPLOAD_BYTES
        sys.stderr.write(f"\nproxy: {UPLOAD_BYTES / 1e6 / (time.monotonic() - begun):.0f} MB/s up\n")
