"""Services in the real kernel: who is led where, before, while and after the rules change."""

from __future__ import annotations

import errno
import select
import socket
import threading
from typing import Any

import pytest
from tests.integration.network.conftest import Container, Start
from tests.integration.network.world import HOST, OUTSIDE, Namespace, World

from jubako.cluster.proxy import kernel, script
from jubako.cluster.proxy.ports import Port, Target
from jubako.cluster.proxy.rules import Table, table
from jubako.network import Networks
from jubako.network.firewall import list_table, run_nft

pytestmark = pytest.mark.root
TABLE, NETWORK, ADDRESS = "jubako-test-cluster-c", "10.96.0.0/16", "10.96.0.9"


class Rules:
    """The proxy's part: from one set of ports to the next."""

    def __init__(self) -> None:
        self.ports: list[Port] = []
        self.table: Table | None = None

    def lead(self, *ports: Port) -> None:
        made = table(ports, NETWORK)
        if self.table is None:
            kernel.replace(TABLE, made)
        else:
            assert kernel.change(TABLE, self.table, made)
        kernel.forget(self.ports, ports)
        self.ports, self.table = list(ports), made


@pytest.fixture
def rules(world: World, networks: Networks) -> Rules:
    networks.lead(NETWORK)
    return Rules()


def port(*pods: Container, protocol: str = "tcp", address: str = ADDRESS, **more: Any) -> Port:
    targets = tuple(sorted(Target(pod.ip, 8080) for pod in pods))
    name = f"n/s/{protocol}/80"
    return Port(name=name, protocol=protocol, number=80, addresses=(address,), targets=targets, **more)


class Serving:
    """Servers in containers that say their names, for as long as this lasts."""

    def __init__(self, *pods: Container) -> None:
        self._sockets = [pod.listen(8080) for pod in pods]
        for listening, pod in zip(self._sockets, pods, strict=True):
            listening.settimeout(None)
            threading.Thread(target=self._serve, args=(listening, pod.ip.encode()), daemon=True).start()

    def _serve(self, listening: socket.socket, name: bytes) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.sendall(name)

    def __enter__(self) -> Serving:
        return self

    def __exit__(self, *_: object) -> None:
        for listening in self._sockets:
            listening.shutdown(socket.SHUT_RDWR)
            listening.close()


def who(client: Namespace, address: str = ADDRESS, number: int = 80) -> str:
    with client.socket() as made:
        made.connect((address, number))
        return made.recv(100).decode()


def test_pods_and_the_host_are_led_to_every_target(rules: Rules, world: World, start: Start) -> None:
    client, one, two = start("client"), start("one"), start("two")
    rules.lead(port(one, two, node_port=30080))
    with Serving(one, two):
        for asking, address, number in (
            (client, ADDRESS, 80),
            (world.host, ADDRESS, 80),
            (world.host, "127.0.0.1", 30080),
            (world.host, HOST, 30080),
            (client, one.endpoint.gateway, 30080),
            (world.outside, HOST, 30080),
        ):
            assert {who(asking, address, number) for _ in range(24)} == {one.ip, two.ip}


def test_a_pod_reaches_itself_through_its_service(rules: Rules, start: Start) -> None:
    one = start("one")
    rules.lead(port(one))
    with Serving(one):
        assert who(one) == one.ip


def test_the_outside_keeps_its_address_at_a_nodes_port(rules: Rules, world: World, start: Start) -> None:
    one = start("one")
    rules.lead(port(one, node_port=30080))
    with one.listen(8080) as server:
        assert world.outside.reach(HOST, 30080, server) == OUTSIDE


def test_what_leads_nowhere_is_refused_at_once(rules: Rules, world: World, start: Start) -> None:
    client = start("client")
    rules.lead(port())
    for asking in (client, world.host):
        for address in (ADDRESS, "10.96.200.200"):
            with asking.socket() as made, pytest.raises(ConnectionRefusedError):
                made.connect((address, 80))


def test_a_client_stays_until_its_target_goes(rules: Rules, world: World, start: Start) -> None:
    client, one, two = start("client"), start("one"), start("two")
    rules.lead(port(one, two, affinity_s=60))
    with Serving(one, two):
        (first,) = {who(client) for _ in range(12)}
        # Another control plane, which knows nothing of the kernel, leaves the client where it is.
        assert rules.table is not None
        kernel.replace(TABLE, rules.table)
        assert {who(client) for _ in range(12)} == {first}
        left = two if first == one.ip else one
        rules.lead(port(left, affinity_s=60))
        assert {who(client) for _ in range(6)} == {left.ip}
        rules.lead(port(one, two, affinity_s=60))
        assert {who(client) for _ in range(12)} == {left.ip}


def test_affinity_ends_with_its_time(rules: Rules, start: Start) -> None:
    client, one, two = start("client"), start("one"), start("two")
    rules.lead(port(one, two, affinity_s=1))
    with Serving(one, two):
        seen = {who(client)}
        for _ in range(12):
            threading.Event().wait(1.1)
            seen.add(who(client))
            if len(seen) == 2:
                return
    pytest.fail(f"always {seen}")


def test_no_connection_is_refused_while_targets_come_and_go(rules: Rules, start: Start) -> None:
    client, one, two, three = (start(name) for name in ("client", "one", "two", "three"))
    others = [Port(name=f"n/o{n}/tcp/80", protocol="tcp", number=80, addresses=(f"10.96.1.{n}",)) for n in range(100)]
    rules.lead(port(one, two), *others)
    failed: list[OSError] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                assert who(client)
            except OSError as error:
                failed.append(error)

    with Serving(one, two, three):
        asking = [threading.Thread(target=ask) for _ in range(2)]
        for thread in asking:
            thread.start()
        for turn in range(40):
            rules.lead(port(*([one], [two, three], [one, two, three], [three])[turn % 4]), *others)
            if turn % 10 == 5:
                assert rules.table is not None
                kernel.replace(TABLE, rules.table)
        ended.set()
        for thread in asking:
            thread.join()
    assert failed == []


def test_who_meets_a_change_of_the_rules_asks_once_more(rules: Rules, world: World, start: Start) -> None:
    """For a moment the old choice finds nothing: it is made longer here. A refusal would be final."""
    client, one = start("client"), start("one")
    rules.lead(port(one))
    element = f"element ip {TABLE} services {{ {ADDRESS} . tcp . 80"
    with Serving(one), client.socket() as pod, world.host.socket() as host:
        run_nft(f"delete {element} }}")
        for asking in (pod, host):
            asking.setblocking(False)
            assert asking.connect_ex((ADDRESS, 80)) == errno.EINPROGRESS
        run_nft(f"add {element} : goto service/n/s/tcp/80 }}")
        for asking in (pod, host):
            assert select.select([], [asking], [], 60)[1]
            assert asking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_a_udp_client_that_never_pauses_is_led_to_who_is_there(rules: Rules, start: Start) -> None:
    client, one, two = start("client"), start("one"), start("two")
    rules.lead(port(one, protocol="udp"))
    with (
        client.socket(socket.SOCK_DGRAM) as asking,
        one.socket(socket.SOCK_DGRAM) as first,
        two.socket(socket.SOCK_DGRAM) as second,
    ):
        for server in (first, second):
            server.bind(("0.0.0.0", 8080))
        asking.connect((ADDRESS, 80))
        asking.send(b"1")
        assert first.recv(10) == b"1"
        rules.lead(port(two, protocol="udp"))
        asking.send(b"2")
        assert second.recv(10) == b"2"


def test_a_udp_client_of_a_nodes_port_finds_who_comes_later(rules: Rules, world: World, start: Start) -> None:
    one = start("one")
    rules.lead(port(protocol="udp", node_port=30053))
    with world.outside.socket(socket.SOCK_DGRAM) as asking, one.socket(socket.SOCK_DGRAM) as server:
        server.bind(("0.0.0.0", 8080))
        asking.bind(("0.0.0.0", 4321))
        asking.sendto(b"1", (HOST, 30053))
        rules.lead(port(one, protocol="udp", node_port=30053))
        asking.sendto(b"2", (HOST, 30053))
        assert server.recv(10) == b"2"


def test_sctp_where_the_kernel_has_it(rules: Rules, start: Start) -> None:
    client, one = start("client"), start("one")
    rules.lead(port(one, protocol="sctp"))
    try:
        server = _sctp(one)
    except OSError:
        pytest.skip("no SCTP here")
    with server, _sctp(client) as asking:
        server.bind(("0.0.0.0", 8080))
        server.listen()
        asking.connect((ADDRESS, 80))
        assert server.accept()[1][0] == one.endpoint.gateway


def _sctp(at: Namespace) -> socket.socket:
    from jubako.linux.netns import inside

    with inside(at.fd):
        made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
    made.settimeout(3)
    return made


def test_a_listener_on_loopback_is_reached_by_pods_and_not_from_outside(
    rules: Rules, world: World, start: Start
) -> None:
    client = start("client")
    gateway = client.endpoint.gateway
    real = (Target("127.0.0.1", 6443),)
    rules.lead(
        Port(name="n/k/tcp/443", protocol="tcp", number=443, addresses=("10.96.0.1",), targets=real),
        Port(name="own", protocol="tcp", number=6443, addresses=(gateway,), targets=real),
    )
    world.outside.run(f"ip route add 10.96.0.0/16 via {HOST}; ip route add {gateway} via {HOST}")
    with world.host.listen(6443, "127.0.0.1") as server:
        for address, number in (("10.96.0.1", 443), (gateway, 6443)):
            assert client.reach(address, number, server) == client.ip
            assert world.host.reach(address, number, server)
        for address, number in (("10.96.0.1", 443), (gateway, 6443), (HOST, 6443), ("127.0.0.1", 6443)):
            assert world.outside.is_refused(address, number)


def test_external_addresses_lead_in(rules: Rules, world: World, start: Start) -> None:
    one = start("one")
    rules.lead(port(one, address="203.0.113.5"))
    world.outside.run(f"ip route add 203.0.113.5 via {HOST}")
    with Serving(one):
        assert who(world.outside, "203.0.113.5") == one.ip


def test_changing_and_replacing_make_the_same_table(rules: Rules, start: Start) -> None:
    one, two = start("one"), start("two")
    steps = [[], [port(one)], [port(one, two, affinity_s=60)], [port(two, affinity_s=60), port(protocol="udp")], []]
    for step in steps:
        rules.lead(*step)
        changed = _normal(list_table(TABLE))
        assert rules.table is not None
        kernel.replace(TABLE, rules.table)
        assert _normal(list_table(TABLE)) == changed
        kernel.remove(TABLE)
        kernel.replace(TABLE, rules.table)
        assert _normal(list_table(TABLE)) == changed


def _normal(listing: str) -> list[str]:
    return sorted(line.strip() for line in listing.splitlines())


def test_what_somebody_has_flushed_or_filled_with_nonsense_is_put_right(
    rules: Rules, world: World, start: Start
) -> None:
    one = start("one")
    rules.lead(port(one))
    assert rules.table is not None
    world.host.run(f"nft flush table ip {TABLE}; nft delete table ip {TABLE}")
    assert not kernel.change(TABLE, rules.table, table([], NETWORK))
    world.host.run(f"nft add table ip {TABLE}; nft add set ip {TABLE} services '{{ type ipv4_addr; }}'")
    kernel.replace(TABLE, rules.table)
    with Serving(one):
        assert who(world.host) == one.ip


def test_nothing_is_left_after_a_removal(rules: Rules, world: World, networks: Networks, start: Start) -> None:
    one = start("one")
    rules.lead(port(one, affinity_s=60))
    kernel.remove(TABLE)
    networks.lead_no_more(NETWORK)
    networks.lead_no_more(NETWORK)
    kernel.remove(TABLE)
    assert TABLE not in world.ruleset()
    assert "10.96" not in world.host.run("ip route")
    assert script.names(list_table(TABLE)) == (set(), set())
