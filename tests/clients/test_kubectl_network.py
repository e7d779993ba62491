"""kubectl and the network: names, services, the API server from within, several clusters side by side."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dnslib
import pytest
from tests.clients.kubectl import NEW, Kubectl, program
from tests.conftest import Cli
from tests.integration.network.world import Namespace
from tests.waiting import until

pytestmark = [pytest.mark.clients, pytest.mark.root]
SERVE = "hostname > /tmp/index.html; exec httpd -f -p 8080 -h /tmp"


class Cluster(Kubectl):
    """A cluster of its own, and what its pods see."""

    def __init__(self, jubako: Cli, name: str) -> None:
        self.jubako, self.name = jubako, name
        self.up()
        super().__init__(program(NEW), jubako.root / "clusters" / name / "kubeconfig")

    def up(self) -> None:
        self.jubako("cluster", "up", "--name", self.name)

    def inside(self, pod: str, *command: str) -> str:
        """What a command in a pod says, whatever its exit code."""
        return self.run("exec", pod, "--", "timeout", "5", *command).stdout

    def addresses(self, pod: str, name: str) -> list[str]:
        found = self.inside(pod, "nslookup", name).partition("\n\n")[2]
        return sorted(re.findall(r"Address(?: \d)?: ([\d.]+)", found))

    def address(self, service: str) -> str:
        return self("get", "service", service, "-o", "jsonpath={.spec.clusterIP}")

    def name_server(self) -> int:
        """The process of the name server."""
        place = str(self.jubako.run_root / "clusters" / self.name).encode()
        for each in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (each / "cmdline").read_bytes().split(b"\0")
                if b"jubako.cluster.dns.process" in words and place in words:
                    return int(each.name)
        raise AssertionError("no name server")


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Cluster]]:
    base = tmp_path_factory.mktemp("clusters")
    jubako = Cli(base / "root", base / "run")
    jubako("image", "bootstrap", "busybox")
    made: list[Cluster] = []

    def make(name: str) -> Cluster:
        made.append(Cluster(jubako, name))
        return made[-1]

    yield make
    for each in made:
        jubako.run("cluster", "reset", "--name", each.name)
    jubako("system", "prune", "-a", "-f", "--volumes")


@pytest.fixture(scope="module")
def cluster(clusters: Callable[[str], Cluster]) -> Cluster:
    made = clusters("one")
    made.apply(
        workload("Deployment", "web", SERVE),
        service("web", ports=[{"name": "http", "port": 80, "targetPort": 8080}]),
        workload("StatefulSet", "db", "sleep 1000", serviceName="db"),
        service("db", clusterIP="None", ports=[{"name": "sql", "port": 5432}]),
        pod("client", "sleep 1000"),
    )
    for each in ("deployment/web", "statefulset/db"):
        made("rollout", "status", each, "--timeout=40s")
    made("wait", "--for=condition=Ready", "pod/client", "--timeout=30s")
    return made


def pod(name: str, command: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "busybox", "command": ["sh", "-c", command]} | spec.pop("container", {})
    body = {"containers": [container], "terminationGracePeriodSeconds": 1, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": body}


def workload(kind: str, name: str, command: str, **more: Any) -> dict[str, Any]:
    template = {key: value for key, value in pod(name, command).items() if key in ("metadata", "spec")}
    del template["metadata"]["name"]
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template, **more}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, **spec},
    }


def test_a_service_is_found_by_each_of_its_names_and_answers(cluster: Cluster) -> None:
    address = cluster.address("web")
    for name in ("web", "web.default", "web.default.svc", "web.default.svc.cluster.local"):
        assert cluster.inside("client", "wget", "-qO-", f"http://{name}/").startswith("web-"), name
    assert cluster.addresses("client", "web.default.svc.cluster.local") == [address]
    reverse = cluster.inside("client", "nslookup", address)
    assert "name = web.default.svc.cluster.local" in reverse


def test_pods_of_a_stateful_set_are_found_by_their_own_names(cluster: Cluster) -> None:
    pods = {
        each["metadata"]["name"]: each["status"]["podIP"]
        for each in json.loads(cluster("get", "pods", "-l", "app=db", "-o", "json"))["items"]
    }
    for name, address in pods.items():
        assert cluster.addresses("client", f"{name}.db.default.svc.cluster.local") == [address]
        assert f"name = {name}.db.default.svc.cluster.local" in cluster.inside("client", "nslookup", address)
        dashed = address.replace(".", "-")
        assert cluster.addresses("client", f"{dashed}.default.pod.cluster.local") == [address]
        assert f"{address}\t{name}.db.default.svc.cluster.local\t{name}\n" in cluster.inside(name, "cat", "/etc/hosts")
        assert cluster.inside(name, "hostname") == f"{name}\n"
    assert cluster.addresses("client", "db.default.svc.cluster.local") == sorted(pods.values())
    found = cluster.inside("client", "nslookup", "-type=srv", "_sql._tcp.db.default.svc.cluster.local")
    for name in pods:
        assert f"service = 0 100 5432 {name}.db.default.svc.cluster.local" in found


def test_only_ready_pods_have_names_unless_their_service_says_so(cluster: Cluster) -> None:
    headless = {"clusterIP": "None", "ports": [{"port": 80}]}
    never = {"readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1}}
    cluster.apply(
        pod("slow", "sleep 1000", container=never),
        service("slow", **headless),
        service("eager", **{**headless, "selector": {"app": "slow"}, "publishNotReadyAddresses": True}),
    )
    address = "jsonpath={.status.podIP}"
    until(lambda: cluster("get", "pod", "slow", "-o", address) != "")
    found = cluster("get", "pod", "slow", "-o", address)
    until(lambda: cluster.addresses("client", "eager.default.svc.cluster.local") == [found])
    assert cluster.addresses("client", "slow.default.svc.cluster.local") == []
    assert "NXDOMAIN" not in cluster.inside("client", "nslookup", "slow.default.svc.cluster.local")
    cluster("delete", "pod/slow", "service/slow", "service/eager")


def test_what_is_not_there_is_denied_and_what_is_elsewhere_is_an_alias(cluster: Cluster) -> None:
    assert "NXDOMAIN" in cluster.inside("client", "nslookup", "nobody.default.svc.cluster.local")
    cluster.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "near"}}
        | {"spec": {"type": "ExternalName", "externalName": "web.default.svc.cluster.local"}},
    )
    name = "near.default.svc.cluster.local"
    until(lambda: cluster.addresses("client", name) == [cluster.address("web")])
    cluster("delete", "service", "near")


class Resolver:
    """This machine's name server, on loopback: knows example.org, and who is in resolv.conf."""

    def __init__(self, directory: Path) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._file = directory / "resolv.conf"
        self._file.write_text("nameserver 127.0.0.1\nsearch corp.example\n")
        subprocess.run(["mount", "--bind", str(self._file), "/etc/resolv.conf"], check=True)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while data := self._socket.recvfrom(4096):
            asked = dnslib.DNSRecord.parse(data[0])
            reply = asked.reply()
            if str(asked.q.qname) == "example.org." and asked.q.qtype == dnslib.QTYPE.A:
                reply.add_answer(dnslib.RR("example.org", rdata=dnslib.A("192.0.2.7"), ttl=60))
            elif str(asked.q.qname) != "example.org.":
                reply.header.rcode = dnslib.RCODE.NXDOMAIN
            self._socket.sendto(reply.pack(), data[1])

    def close(self) -> None:
        subprocess.run(["umount", "/etc/resolv.conf"], check=True)


def test_other_names_are_asked_of_this_machines_name_server_on_loopback(cluster: Cluster, tmp_path: Path) -> None:
    resolver = Resolver(tmp_path)
    try:
        assert cluster.addresses("client", "example.org") == ["192.0.2.7"]
        spec = {"type": "ExternalName", "externalName": "example.org"}
        cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "away"}, "spec": spec})
        name = "away.default.svc.cluster.local"
        until(lambda: cluster.addresses("client", name) == ["192.0.2.7"])
        assert f"{name}\tcanonical name = example.org" in cluster.inside("client", "nslookup", name)
        assert "NXDOMAIN" in cluster.inside("client", "nslookup", "nobody.example.org")
        cluster.apply(pod("searching", "sleep 1000"))
        cluster("wait", "--for=condition=Ready", "pod/searching", "--timeout=30s")
        assert "cluster.local corp.example\n" in cluster.inside("searching", "cat", "/etc/resolv.conf")
        cluster("delete", "pod/searching", "service/away")
    finally:
        resolver.close()


def test_other_machines_reach_node_ports_and_neither_the_api_server_nor_names(cluster: Cluster) -> None:
    cluster.apply(service("seen", type="NodePort", ports=[{"port": 80, "targetPort": 8080}], selector={"app": "web"}))
    number = cluster.one(".spec.ports[0].nodePort", "service", "seen")
    node = cluster.one(".items[0].status.addresses[0].address", "nodes")
    api = cluster.one(".subsets[0].ports[0].port", "endpoints", "kubernetes")
    names = cluster.one(".subsets[0].ports[0].port", "endpoints", "-n", "kube-system", "kube-dns")
    server = cluster.one(".spec.clusterIP", "service", "-n", "kube-system", "kube-dns")
    with outside("192.0.2.1", "192.0.2.2") as other:
        other.run("ip route add default via 192.0.2.1")
        assert "web-" in other.run(f"timeout 5 busybox wget -qO- http://192.0.2.1:{number}/")
        closed = [(cluster.address("kubernetes"), "443"), (server, "53")]
        closed += [(address, port) for address in ("192.0.2.1", node) for port in (api, names)]
        for address, port in closed:
            assert other.is_refused(address, int(port)), (address, port)
    cluster("delete", "service", "seen")


@contextmanager
def outside(here: str, there: str) -> Iterator[Namespace]:
    """Another machine on a wire of its own."""
    other = Namespace()
    try:
        for command in (
            f"ip link add up0 type veth peer name out0 netns /proc/{os.getpid()}/fd/{other.fd}",
            f"ip addr add {here}/24 dev up0",
            "ip link set up0 up",
        ):
            subprocess.run(command.split(), check=True)
        other.run(f"ip link set lo up; ip addr add {there}/24 dev out0; ip link set out0 up")
        yield other
    finally:
        subprocess.run(["ip", "link", "del", "up0"], check=False)
        other.close()


@pytest.mark.parametrize(
    ("spec", "first", "options"),
    [
        ({}, "cluster", ["ndots:5"]),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, "cluster", ["ndots:5"]),
        (
            {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.1"], "searches": ["x.example"]}},
            "192.0.2.1",
            [],
        ),
        ({"dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}}, "cluster", ["ndots:1"]),
    ],
)
def test_a_pods_policy_is_in_its_resolv_conf(
    cluster: Cluster, spec: dict[str, Any], first: str, options: list[str]
) -> None:
    cluster.apply(pod("policy", "sleep 1000", **spec))
    cluster("wait", "--for=condition=Ready", "pod/policy", "--timeout=30s")
    lines = [line.split() for line in cluster.inside("policy", "cat", "/etc/resolv.conf").splitlines()]
    server = cluster("get", "service", "-n", "kube-system", "kube-dns", "-o", "jsonpath={.spec.clusterIP}")
    assert lines[0] == ["nameserver", server if first == "cluster" else first]
    assert [line[1:] for line in lines if line[0] == "options"] == ([options] if options else [])
    searches = next(line[1:] for line in lines if line[0] == "search")
    assert searches[0] == ("default.svc.cluster.local" if first == "cluster" else "x.example")
    if first == "cluster":
        assert cluster.addresses("policy", "web.default.svc.cluster.local") == [cluster.address("web")]
    cluster("delete", "pod", "policy")


ASK = """
import json, os, ssl, urllib.request
context = ssl.create_default_context(cadata=os.environ["CA"])
def ask(host, path):
    headers = {"Authorization": "Bearer " + os.environ["TOKEN"]}
    request = urllib.request.Request(f"https://{host}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, context=context, timeout=5) as answer:
            return answer.status, json.load(answer)["kind"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["reason"]
address = os.environ["KUBERNETES_SERVICE_HOST"] + ":" + os.environ["KUBERNETES_SERVICE_PORT"]
pods = "/api/v1/namespaces/default/pods"
print(json.dumps([ask(address, pods), ask(os.environ["ENDPOINT"], pods), ask(address, "/api/v1/secrets")]))
"""


def test_a_pod_speaks_with_the_api_server_as_its_account(cluster: Cluster) -> None:
    cluster("create", "role", "reader", "--verb=list", "--resource=pods")
    cluster("create", "rolebinding", "reader", "--role=reader", "--serviceaccount=default:default")
    # The host's Python, with what it needs.
    python = os.path.realpath(sys.executable)
    needed = [path for path in {"/usr", "/lib", "/lib64", sys.base_prefix} if Path(path).exists()]
    mounts = [{"name": f"host{n}", "mountPath": path, "readOnly": True} for n, path in enumerate(needed)]
    volumes = [{"name": f"host{n}", "hostPath": {"path": path}} for n, path in enumerate(needed)]
    cluster.apply(pod("inside", "sleep 1000", container={"volumeMounts": mounts}, volumes=volumes))
    cluster("wait", "--for=condition=Ready", "pod/inside", "--timeout=30s")
    endpoint = cluster(
        "get", "endpoints", "kubernetes", "-o", "jsonpath={.subsets[0].addresses[0].ip}:{.subsets[0].ports[0].port}"
    )
    script = (
        'cd /var/run/secrets/kubernetes.io/serviceaccount; export CA="$(cat ca.crt)" TOKEN="$(cat token)"; '
        f'export ENDPOINT={endpoint}; exec {python} -I -c "$0"'
    )
    found = cluster("exec", "inside", "--", "sh", "-c", script, ASK)
    assert json.loads(found) == [[200, "PodList"], [200, "PodList"], [403, "Forbidden"]]
    cluster("delete", "pod/inside", "rolebinding/reader", "role/reader")


def test_variables_tell_of_services(cluster: Cluster) -> None:
    cluster.apply(pod("unlinked", "sleep 1000", enableServiceLinks=False))
    cluster("wait", "--for=condition=Ready", "pod/unlinked", "--timeout=30s")
    linked, unlinked = (set(cluster.inside(name, "env").splitlines()) for name in ("client", "unlinked"))
    api = f"KUBERNETES_SERVICE_HOST={cluster.address('kubernetes')}"
    assert {api, "KUBERNETES_SERVICE_PORT=443", "KUBERNETES_SERVICE_PORT_HTTPS=443"} <= linked & unlinked
    assert f"WEB_SERVICE_HOST={cluster.address('web')}" in linked
    assert not any(each.startswith("WEB_") for each in unlinked)
    cluster("delete", "pod", "unlinked")


def test_the_clusters_own_services_come_back(cluster: Cluster) -> None:
    address = cluster.address("kubernetes")
    cluster("delete", "service", "kubernetes")
    until(lambda: cluster.run("get", "service", "kubernetes").returncode == 0)
    assert cluster.address("kubernetes") == address


def test_pods_on_the_host_node_ports_and_host_ports(cluster: Cluster) -> None:
    cluster.apply(
        pod("onhost", "echo host > /tmp/index.html; exec httpd -f -p 18080 -h /tmp", hostNetwork=True),
        service("onhost", type="NodePort", ports=[{"port": 80, "targetPort": 18080}]),
        pod("ported", SERVE, container={"ports": [{"containerPort": 8080, "hostPort": 18081}]}),
    )
    cluster("wait", "--for=condition=Ready", "pod/onhost", "pod/ported", "--timeout=30s")
    node = cluster("get", "nodes", "-o", "jsonpath={.items[0].status.addresses[0].address}")
    assert cluster("get", "pod", "onhost", "-o", "jsonpath={.status.podIP}") == node
    number = cluster("get", "service", "onhost", "-o", "jsonpath={.spec.ports[0].nodePort}")
    until(lambda: cluster.inside("client", "wget", "-qO-", "http://onhost/") == "host\n")
    for address in (f"127.0.0.1:{number}", f"{node}:{number}"):
        assert _get(f"http://{address}/") == "host\n"
    assert _get("http://127.0.0.1:18081/") == "ported\n"
    cluster("delete", "pod/onhost", "pod/ported", "service/onhost")


def _get(url: str) -> str:
    import urllib.request

    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def test_a_load_balancer_has_the_machines_address(cluster: Cluster) -> None:
    ports = [{"port": 18088, "targetPort": 8080}]
    cluster.apply(service("balanced", type="LoadBalancer", ports=ports, selector={"app": "web"}))
    node = cluster.one(".items[0].status.addresses[0].address", "nodes")
    until(lambda: cluster.one(".status.loadBalancer.ingress[0].ip", "service", "balanced") == node)
    until(lambda: cluster.inside("client", "wget", "-qO-", f"http://{node}:18088/").startswith("web-"))
    assert _get(f"http://{node}:18088/").startswith("web-")
    assert node in cluster("get", "service", "balanced")
    cluster("delete", "service", "balanced")


def test_endpoints_of_ones_own_are_served(cluster: Cluster) -> None:
    metadata = {"name": "own"}
    port = {"port": 80, "targetPort": 8080}
    address = cluster.one(".items[0].status.podIP", "pods", "-l", "app=web")
    where = {"addresses": [{"ip": address}], "ports": [{"port": 8080}]}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}},
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": metadata, "subsets": [where]},
    )
    until(lambda: cluster.inside("client", "wget", "-qO-", "http://own/").startswith("web-"))
    cluster("delete", "service/own", "endpoints/own")


def test_a_client_keeps_its_pod_and_is_given_another_when_that_goes(cluster: Cluster) -> None:
    cluster("patch", "service", "web", "-p", '{"spec":{"sessionAffinity":"ClientIP"}}')

    def ask() -> str:
        return cluster.inside("client", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do wget -qO- http://web/; done")

    until(lambda: len(set(ask().split())) == 1)
    (first,) = set(ask().split())
    cluster("delete", "pod", first)
    (second,) = set(ask().split())
    assert second != first
    cluster("patch", "service", "web", "-p", '{"spec":{"sessionAffinity":"None"}}')


def test_a_name_server_that_is_killed_is_replaced_and_loses_no_question(cluster: Cluster) -> None:
    before = cluster.name_server()
    os.kill(before, signal.SIGKILL)
    assert cluster.addresses("client", "web.default.svc.cluster.local") == [cluster.address("web")]
    until(lambda: cluster.name_server() != before)


def test_names_and_services_answer_while_the_control_plane_is_away(cluster: Cluster) -> None:
    address = cluster.address("web")
    netns = next((cluster.jubako.run_root / "pods").glob("*/net"))
    server = cluster("get", "service", "-n", "kube-system", "kube-dns", "-o", "jsonpath={.spec.clusterIP}")
    before = cluster.name_server()
    cluster.jubako("cluster", "down", "--name", cluster.name)
    try:
        enter = ["nsenter", f"--net={netns}", "timeout", "5", "busybox"]
        for command in (["nslookup", "web.default.svc.cluster.local", server], ["wget", "-qO-", f"http://{address}/"]):
            done = subprocess.run([*enter, *command], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    finally:
        cluster.up()
    assert cluster.name_server() == before
    # What has changed since is told to the one that stayed.
    cluster.apply(service("later", ports=[{"port": 80}]))
    until(lambda: cluster.addresses("client", "later.default.svc.cluster.local") == [cluster.address("later")])
    cluster("delete", "service", "later")


def test_what_is_killed_together_comes_back_together(cluster: Cluster) -> None:
    lock = cluster.jubako.run_root / "clusters" / cluster.name / "lock"
    for process in (int(json.loads(lock.read_text())["pid"]), cluster.name_server()):
        os.kill(process, signal.SIGKILL)
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    cluster.up()
    until(lambda: cluster.addresses("client", "web.default.svc.cluster.local") == [cluster.address("web")])
    until(lambda: cluster.inside("client", "wget", "-qO-", "http://web/").startswith("web-"))


def test_clusters_stand_side_by_side_and_leave_nothing(clusters: Callable[[str], Cluster], cluster: Cluster) -> None:
    other = clusters("two")
    other.apply(service("web", ports=[{"port": 80}]), pod("web", SERVE), pod("client", "sleep 1000"))
    other("wait", "--for=condition=Ready", "pod/client", "pod/web", "--timeout=30s")
    assert other.address("kubernetes") != cluster.address("kubernetes")
    assert other.addresses("client", "web.default.svc.cluster.local") == [other.address("web")]
    assert cluster.addresses("client", "web.default.svc.cluster.local") == [cluster.address("web")]
    assert other.name_server() != cluster.name_server()
    network = other.address("kubernetes").rpartition(".")[0]
    other.jubako("cluster", "reset", "--name", "two")
    with pytest.raises(AssertionError, match="no name server"):
        other.name_server()
    for command in (["nft", "list", "ruleset"], ["ip", "route"]):
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "cluster-two" not in said
        assert f"{network}." not in said
    assert cluster.inside("client", "wget", "-qO-", "http://web/").startswith("web-")
