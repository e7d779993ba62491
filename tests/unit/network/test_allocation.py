"""Host ports and addresses are given to one endpoint at a time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jubako.errors import AlreadyExists, FailedPrecondition, ResourceExhausted
from jubako.network import publish
from jubako.network.addresses import Addresses, unique
from jubako.network.ports import Ports
from jubako.network.record import BRIDGE, Endpoint, Network
from jubako.store import Store

NETWORK = Network(id="n1", name="small", driver=BRIDGE, subnet="10.1.0.0/29", gateway="10.1.0.1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "root") as opened:
        yield opened


def endpoint(container: str, **values: object) -> Endpoint:
    return Endpoint(
        id=f"id-{container}",
        container_id=container,
        container_name=f"name-{container}",
        network_id="n1",
        network="small",
        driver=BRIDGE,
        **values,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("8080:80", "8080:81"),
        ("8080:80", "127.0.0.1:8080:80"),
        ("127.0.0.1:8080:80", "8080:80"),
        ("127.0.0.1:8080:80", "127.0.0.1:8080:80"),
    ],
)
def test_a_port_is_claimed_once(store: Store, first: str, second: str) -> None:
    ports = Ports(store.records)
    ports.claim(endpoint("a"), publish.parse(first)[0])
    with pytest.raises(AlreadyExists, match="port is already allocated") as raised:
        ports.claim(endpoint("b"), publish.parse(second)[0])
    assert raised.value.holder == "a"
    assert raised.value.message.startswith(
        "driver failed programming external connectivity on endpoint name-b (id-b): Bind for "
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [("8080:80", "8081:80"), ("8080:80", "8080:80/udp"), ("127.0.0.1:8080:80", "127.0.0.2:8080:80"), ("808:8", "80:8")],
)
def test_ports_that_differ_stand_side_by_side(store: Store, first: str, second: str) -> None:
    ports = Ports(store.records)
    ports.claim(endpoint("a"), publish.parse(first)[0])
    ports.claim(endpoint("b"), publish.parse(second)[0])


def test_a_released_port_is_free_and_another_owners_stays(store: Store) -> None:
    ports = Ports(store.records)
    binding = ports.claim(endpoint("a"), publish.parse("8080:80")[0])
    ports.release(endpoint("b", ports=[binding]))
    with pytest.raises(AlreadyExists):
        ports.claim(endpoint("b"), binding)
    ports.release(endpoint("a", ports=[binding]))
    ports.claim(endpoint("b"), binding)


def test_no_host_port_means_an_ephemeral_one(store: Store) -> None:
    ports = Ports(store.records)
    chosen = {ports.claim(endpoint("a"), publish.parse("80")[0]).host_port for _ in range(5)}
    assert len(chosen) == 5
    assert min(chosen) >= 1024


@contextmanager
def busy_before_free() -> Iterator[int]:
    """A port that is taken while this lasts; the one behind it is free."""
    for _ in range(100):
        with socket.socket() as busy, socket.socket() as free:
            busy.bind(("127.0.0.1", 0))
            first = busy.getsockname()[1]
            try:
                free.bind(("127.0.0.1", first + 1))
            except (OSError, OverflowError):
                continue
            free.close()
            yield first
            return
    raise AssertionError("no two ports side by side")


def test_a_range_for_one_port_takes_what_neither_we_nor_the_host_use(store: Store) -> None:
    ports = Ports(store.records)
    with busy_before_free() as first:
        text = f"127.0.0.1:{first}-{first + 1}:80"
        binding = ports.claim(endpoint("a"), publish.parse(text)[0])
        assert (binding.host_port, binding.host_port_end) == (first + 1, 0)
        with pytest.raises(ResourceExhausted, match="all ports are allocated"):
            ports.claim(endpoint("b"), publish.parse(text)[0])


def allocate(store: Store, container: str) -> str:
    endpoints = store.records.collection("endpoint", Endpoint)
    ip = Addresses(store.records, endpoints).allocate(NETWORK)
    made = endpoint(container, ip=ip)
    endpoints.insert(made.key, made, unique=[unique("n1", ip)])
    return ip


def test_addresses_go_round_and_end_when_all_are_given(store: Store) -> None:
    assert [allocate(store, name) for name in "abcde"] == [f"10.1.0.{n}" for n in range(2, 7)]
    with pytest.raises(ResourceExhausted, match="no available IPv4 addresses"):
        allocate(store, "f")
    store.records.collection("endpoint", Endpoint).delete("b/n1")
    assert allocate(store, "f") == "10.1.0.3"


def test_an_address_just_given_back_is_not_the_next(store: Store) -> None:
    assert allocate(store, "a") == "10.1.0.2"
    store.records.collection("endpoint", Endpoint).delete("a/n1")
    assert allocate(store, "b") == "10.1.0.3"


def test_an_address_of_the_users_choice_must_belong_and_be_free(store: Store) -> None:
    addresses = Addresses(store.records, store.records.collection("endpoint", Endpoint))
    allocate(store, "a")
    assert addresses.check(NETWORK, "10.1.0.6") == "10.1.0.6"
    for taken in ("10.1.0.1", "10.1.0.2"):
        with pytest.raises(AlreadyExists, match="Address already in use"):
            addresses.check(NETWORK, taken)
    for foreign in ("10.1.0.0", "10.1.0.7", "10.2.0.1"):
        with pytest.raises(FailedPrecondition, match="does not belong"):
            addresses.check(NETWORK, foreign)
