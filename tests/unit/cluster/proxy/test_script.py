"""What is forwarded as a table, and from one table to the next."""

from __future__ import annotations

from typing import Any

from jubako.cluster.proxy import script
from jubako.cluster.proxy.ports import Port, Target
from jubako.cluster.proxy.rules import Table, table

ONE, TWO = Target("10.0.0.2", 8080), Target("10.0.0.3", 8080)


def made(*ports: Port) -> Table:
    return table(ports, "10.96.0.0/16")


def port(*targets: Target, name: str = "n/s/tcp/80", **more: Any) -> Port:
    return Port(name=name, protocol="tcp", number=80, addresses=("10.96.0.9",), targets=targets, **more)


def test_a_port_leads_to_its_only_target_or_to_any_of_several() -> None:
    assert made(port(ONE)).chains["service/n/s/tcp/80"] == ["meta l4proto tcp dnat ip to 10.0.0.2:8080"]
    assert made(port(ONE, TWO)).chains["service/n/s/tcp/80"] == [
        "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.0.0.2 . 8080, 1 : 10.0.0.3 . 8080 }"
    ]


def test_each_address_and_the_nodes_port_lead_to_the_port() -> None:
    found = made(Port(name="p", protocol="udp", number=53, addresses=("a", "b"), node_port=30053, targets=(ONE,)))
    assert found.elements["services"] == {"a . udp . 53": "goto service/p", "b . udp . 53": "goto service/p"}
    assert found.elements["served"] == {"a . udp . 53": "", "b . udp . 53": ""}
    assert found.elements["nodeports"] == {"udp . 30053": "goto service/p"}


def test_what_leads_nowhere_is_refused() -> None:
    found = made(port())
    assert found.elements["nowhere"] == {"10.96.0.9 . tcp . 80": ""}
    assert found.elements["services"] == found.elements["served"] == {}
    assert list(found.chains["forward"]) == [
        "ip daddr . ip protocol . th dport @nowhere meta l4proto tcp reject with tcp reset",
        "ip daddr . ip protocol . th dport @nowhere reject",
        "ct state new ip daddr . ip protocol . th dport @served drop",
        "ip daddr 10.96.0.0/16 meta l4proto tcp reject with tcp reset",
        "ip daddr 10.96.0.0/16 reject",
    ]


def test_a_client_that_stays_is_remembered_by_its_target() -> None:
    found = made(port(ONE, TWO, affinity_s=60))
    first = "clients/n/s/tcp/80/10.0.0.2/8080/60"
    assert found.sets[first] == f"set {first} {{ type ipv4_addr; size 65536; flags dynamic,timeout; timeout 60s; }}"
    assert found.chains["service/n/s/tcp/80"][0] == f"ip saddr @{first} goto target/n/s/tcp/80/10.0.0.2/8080"
    assert found.chains["target/n/s/tcp/80/10.0.0.2/8080"] == [
        f"update @{first} {{ ip saddr }}",
        "meta l4proto tcp dnat ip to 10.0.0.2:8080",
    ]


def test_only_what_changes_is_changed() -> None:
    other = port(ONE, name="n/t/tcp/80")
    assert script.changing("t", made(port(ONE), other), made(port(ONE), other)) == ""
    text = script.changing("t", made(port(ONE), other), made(port(ONE, TWO), other))
    assert text.splitlines() == [
        "flush chain ip t service/n/s/tcp/80",
        "add rule ip t service/n/s/tcp/80 meta l4proto tcp dnat ip to numgen random mod 2 map "
        "{ 0 : 10.0.0.2 . 8080, 1 : 10.0.0.3 . 8080 }",
    ]


def test_what_goes_is_let_go_of_before_it_is_deleted() -> None:
    text = script.changing("t", made(port(ONE, affinity_s=60)), made(port()))
    assert text.splitlines() == [
        "delete element ip t services { 10.96.0.9 . tcp . 80 }",
        "add element ip t nowhere { 10.96.0.9 . tcp . 80 }",
        "delete element ip t served { 10.96.0.9 . tcp . 80 }",
        "flush chain ip t service/n/s/tcp/80",
        "flush chain ip t target/n/s/tcp/80/10.0.0.2/8080",
        "delete chain ip t service/n/s/tcp/80",
        "delete chain ip t target/n/s/tcp/80/10.0.0.2/8080",
        "delete set ip t clients/n/s/tcp/80/10.0.0.2/8080/60",
    ]


def test_a_table_that_nobody_knows_is_emptied_but_for_clients_that_stay() -> None:
    new = made(port(ONE, affinity_s=60))
    kept = "clients/n/s/tcp/80/10.0.0.2/8080/60"
    text = script.replacing("t", new, ["prerouting", "service/gone"], ["services", kept, "clients/gone"])
    assert "add table ip t" in text
    assert "flush chain ip t prerouting" in text
    assert "flush map ip t services" in text
    assert "delete chain ip t service/gone" in text
    assert "delete set ip t clients/gone" in text
    assert f"set ip t {kept}" not in text


def test_many_elements_are_said_in_portions() -> None:
    many = [Port(name=f"p{n}", protocol="tcp", number=n, addresses=("a",), targets=(ONE,)) for n in range(1, 1200)]
    lines = script.changing("t", made(), made(*many)).splitlines()
    added = [line for line in lines if line.startswith("add element ip t services")]
    assert len(added) == 3
    assert sum(line.count("goto") for line in added) == 1199


def test_names_are_read_off_a_listing() -> None:
    listing = (
        "table ip t {\n\tmap services {\n\t\ttype x\n\t}\n\tset nowhere {\n\t}\n\tchain service/n/s/tcp/80 {\n\t}\n}\n"
    )
    assert script.names(listing) == ({"service/n/s/tcp/80"}, {"services", "nowhere"})
