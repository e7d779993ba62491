"""Names of a cluster: what a client asks, and what it is told."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubako.cluster.dns.known import Member, Named, NamedPort, State
from jubako.cluster.dns.state import pods, services
from jubako.cluster.dns.zone import Zone
from jubako.network.dns import wire
from jubako.network.dns.wire import Record, Reply

HTTP = NamedPort("http", "tcp", 80)
SERVICES = (
    Named("default", "web", address="10.96.0.9", ports=(HTTP, NamedPort("", "udp", 9))),
    Named("default", "db", members=(Member("10.0.0.2", "db-0", (HTTP,)), Member("10.0.0.3", "", (HTTP,)))),
    Named("default", "quiet"),
    Named("default", "away", alias="example.org"),
    Named("default", "near", alias="web.default.svc.cluster.local"),
    Named("default", "round", alias="about.default.svc.cluster.local"),
    Named("default", "about", alias="round.default.svc.cluster.local"),
    Named("default", "bad", alias="x" * 64 + ".example"),
)
ZONE = Zone(State("cluster.local", "10.96.0.0/16", "10.96.0.10", SERVICES, (("default", "10.0.0.2"),)))
SVC = "default.svc.cluster.local"


def ask(name: str, kind: int = wire.A) -> Reply:
    found = ZONE.resolve(name, kind)
    assert found is not None
    return found


def addresses(name: str) -> set[str]:
    return {socket.inet_ntoa(record.data[0]) for record in ask(name).answers if isinstance(record.data[0], bytes)}


def test_a_service_has_its_address_and_a_headless_one_those_of_its_members() -> None:
    assert addresses(f"web.{SVC}") == {"10.96.0.9"}
    assert addresses(f"db.{SVC}") == {"10.0.0.2", "10.0.0.3"}
    assert addresses(f"db-0.db.{SVC}") == {"10.0.0.2"}
    assert addresses(f"10-0-0-3.db.{SVC}") == {"10.0.0.3"}


def test_a_pod_has_a_name_of_its_address() -> None:
    assert addresses("10-0-0-2.default.pod.cluster.local") == {"10.0.0.2"}
    assert ask("10-0-0-9.default.pod.cluster.local").code == wire.NXDOMAIN
    assert ask("10-0-0-2.other.pod.cluster.local").code == wire.NXDOMAIN


def test_ports_are_found_by_name_with_the_addresses_of_their_targets() -> None:
    found = ask(f"_http._tcp.web.{SVC}", wire.SRV)
    assert [record.data for record in found.answers] == [(b"\0\0\0\x64\0\x50", f"web.{SVC}")]
    assert [record.data for record in found.additional] == [(socket.inet_aton("10.96.0.9"),)]
    targets = {record.data[1] for record in ask(f"_http._tcp.db.{SVC}", wire.SRV).answers}
    assert targets == {f"db-0.db.{SVC}", f"10-0-0-3.db.{SVC}"}
    assert len(ask(f"web.{SVC}", wire.SRV).answers) == 2
    assert ask(f"_https._tcp.web.{SVC}", wire.SRV).code == wire.NXDOMAIN


def test_addresses_have_names() -> None:
    assert [r.data for r in ask("9.0.96.10.in-addr.arpa", wire.PTR).answers] == [(f"web.{SVC}",)]
    assert [r.data for r in ask("2.0.0.10.in-addr.arpa", wire.PTR).answers] == [(f"db-0.db.{SVC}",)]
    assert ask("8.0.96.10.in-addr.arpa", wire.PTR).code == wire.NXDOMAIN
    assert ZONE.resolve("3.0.0.10.in-addr.arpa", wire.PTR) is None


@pytest.mark.parametrize("name", [f"web.{SVC}", f"quiet.{SVC}", SVC, "svc.cluster.local", f"_tcp.web.{SVC}"])
def test_a_name_without_such_a_record_is_there_all_the_same(name: str) -> None:
    found = ask(name, wire.AAAA)
    assert (found.code, list(found.answers)) == (wire.NOERROR, [])
    assert [record.kind for record in found.authority] == [wire.SOA]


@pytest.mark.parametrize("name", [f"nobody.{SVC}", "default.cluster.local", f"x.web.{SVC}", "nowhere.cluster.local"])
def test_a_name_that_is_not_there_is_denied(name: str) -> None:
    found = ask(name)
    assert found.code == wire.NXDOMAIN
    assert [record.kind for record in found.authority] == [wire.SOA]


def test_an_alias_is_followed_as_far_as_it_is_ours() -> None:
    assert ask(f"away.{SVC}") == Reply(
        answers=[Record(f"away.{SVC}", wire.CNAME, 5, ("example.org",))], alias="example.org"
    )
    near = ask(f"near.{SVC}")
    assert [record.kind for record in near.answers] == [wire.CNAME, wire.A]
    assert [record.kind for record in ask(f"near.{SVC}", wire.CNAME).answers] == [wire.CNAME]
    assert ask(f"round.{SVC}").code == wire.SERVFAIL
    assert list(ask(f"bad.{SVC}").answers) == []


def test_what_is_not_ours_is_for_others_to_answer() -> None:
    for name in ("example.org", "cluster.local.example.org", "mycluster.local", "", "local"):
        assert ZONE.resolve(name, wire.A) is None


def test_the_zone_says_who_serves_it() -> None:
    (server,) = ask("cluster.local", wire.NS).answers
    assert addresses(str(server.data[0])) == {"10.96.0.10"}
    assert [record.kind for record in ask("cluster.local", wire.SOA).answers] == [wire.SOA]
    assert ask("dns-version.cluster.local", wire.TXT).answers[0].data == (b"\x051.1.0",)


def test_everybody_is_given_another_first() -> None:
    assert len({ask(f"db.{SVC}").answers[0] for _ in range(4)}) == 2


def test_services_and_pods_as_the_name_server_knows_them() -> None:
    def document(name: str, **spec: Any) -> Any:
        return {"metadata": {"namespace": "n", "name": name}, "spec": spec}

    port = {"name": "http", "port": 80}
    slice_: Any = {
        "metadata": {"namespace": "n", "labels": {"kubernetes.io/service-name": "db"}},
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": ["10.0.0.3"], "conditions": {"ready": True}, "hostname": "db-1"},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
        ],
    }
    found = services(
        [
            document("web", clusterIP="10.96.0.9", ports=[port]),
            document("db", clusterIP="None", ports=[port]),
            document("away", type="ExternalName", externalName="Example.ORG."),
            document("unborn", ports=[port]),
        ],
        [slice_],
    )
    assert found == (
        Named("n", "away", alias="example.org"),
        Named("n", "db", members=(Member("10.0.0.3", "db-1", (NamedPort("http", "tcp", 8080),)),)),
        Named("n", "web", address="10.96.0.9", ports=(HTTP,)),
    )
    pod: Any = {"metadata": {"namespace": "n", "name": "p"}, "status": {"podIP": "10.0.0.3"}}
    assert pods([pod, {"metadata": {"namespace": "n", "name": "q"}}]) == (("n", "10.0.0.3"),)


LABEL = st.from_regex(r"[a-z]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
ADDRESS = st.ip_addresses(v=4, network="10.96.0.0/16").map(str)


@given(st.dictionaries(st.tuples(LABEL, LABEL), ADDRESS, max_size=8), st.dictionaries(LABEL, LABEL, max_size=4))
def test_every_service_is_found_by_its_name_and_nothing_else_is(
    named: dict[tuple[str, str], str], others: dict[str, str]
) -> None:
    state = State(
        "cluster.local", "10.96.0.0/16", "10.96.0.10", tuple(Named(*key, address=at) for key, at in named.items())
    )
    zone = Zone(state)
    for (namespace, name), at in named.items():
        found = zone.resolve(f"{name}.{namespace}.svc.cluster.local", wire.A)
        assert found is not None
        assert [record.data for record in found.answers] == [(socket.inet_aton(at),)]
    for namespace, name in others.items():
        if (namespace, name) not in named:
            found = zone.resolve(f"{name}.{namespace}.svc.cluster.local", wire.A)
            assert found is not None
            assert found.code == wire.NXDOMAIN
