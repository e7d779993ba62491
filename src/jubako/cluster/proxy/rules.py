"""Services and endpoints -> one ruleset for nft.

services    address . protocol . port -> the chain of that port, which chooses a pod at random
nodeports   protocol . port, on any address of this machine
empty       what has no pod is refused instead of sent elsewhere
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address

import msgspec

from jubako.cluster.types.document import JSON, Object, array, at, integer, objects, text

_PROTOCOLS = ("TCP", "UDP", "SCTP")


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """One port of a service, and the pods' addresses and ports behind it."""

    address: str
    protocol: str
    number: int
    node_port: int = 0
    targets: tuple[tuple[str, int], ...] = ()


def ports(services: Iterable[Object], slices: Iterable[Object]) -> list[Port]:
    """Return what there is to forward, in a stable order."""
    behind: dict[tuple[str, str], list[Object]] = {}
    for each in slices:
        owner = (
            text(at(each, "metadata", "namespace")),
            text(at(each, "metadata", "labels", "kubernetes.io/service-name")),
        )
        behind.setdefault(owner, []).append(each)
    found = [
        made
        for service in services
        for made in _of_service(service, behind.get((_namespace(service), text(at(service, "metadata", "name"))), []))
    ]
    return sorted(found, key=lambda port: (port.address, port.protocol, port.number))


def _of_service(service: Object, slices: Sequence[Object]) -> Iterable[Port]:
    address = text(at(service, "spec", "clusterIP"))
    if not _is_address(address):
        return
    for port in objects(at(service, "spec", "ports")):
        protocol = text(port.get("protocol")) or "TCP"
        if protocol in _PROTOCOLS:
            yield Port(
                address=address,
                protocol=protocol.lower(),
                number=integer(port.get("port")),
                node_port=integer(port.get("nodePort")),
                targets=tuple(sorted(set(_targets(slices, text(port.get("name")))))),
            )


def _targets(slices: Sequence[Object], name: str) -> Iterable[tuple[str, int]]:
    for each in slices:
        for port in objects(each.get("ports")):
            if text(port.get("name")) != name:
                continue
            for endpoint in objects(each.get("endpoints")):
                if at(endpoint, "conditions", "ready") is not False:
                    addresses: list[JSON] = array(endpoint.get("addresses"))
                    yield from ((text(a), integer(port.get("port"))) for a in addresses if _is_address(text(a)))


def _is_address(value: str) -> bool:
    """Only what is an address comes into the ruleset."""
    try:
        return bool(IPv4Address(value))
    except ValueError:
        return False


def _namespace(document: Object) -> str:
    return text(at(document, "metadata", "namespace"))


def ruleset(table: str, wanted: Sequence[Port]) -> str:
    """Return the script that replaces the table by one that does what is wanted."""
    served = [port for port in wanted if port.targets]
    empty = [f"{port.address} . {port.protocol} . {port.number}" for port in wanted if not port.targets]
    chains = {port: f"port_{number}" for number, port in enumerate(served)}
    by_address = [f"{port.address} . {port.protocol} . {port.number} : goto {chain}" for port, chain in chains.items()]
    by_node = [f"{port.protocol} . {port.node_port} : goto {chain}" for port, chain in chains.items() if port.node_port]
    address_key = "ip daddr . ip protocol . th dport"
    forward = (f"{address_key} vmap @services", "fib daddr type local ip protocol . th dport vmap @nodeports")
    return "\n".join(
        [
            f"add table ip {table}",
            f"delete table ip {table}",
            f"table ip {table} {{",
            *_set("map services", "ipv4_addr . inet_proto . inet_service : verdict", by_address),
            *_set("map nodeports", "inet_proto . inet_service : verdict", by_node),
            *_set("set empty", "ipv4_addr . inet_proto . inet_service", empty),
            *(_choosing(chain, port) for port, chain in chains.items()),
            *_chain("prerouting", "nat hook prerouting priority dstnat - 5", forward),
            *_chain("output", "nat hook output priority -105", forward),
            *_chain("refuse_forwarded", "filter hook forward priority filter - 5", (f"{address_key} @empty reject",)),
            *_chain("refuse_own", "filter hook output priority filter - 5", (f"{address_key} @empty reject",)),
            "}",
            "",
        ]
    )


def _set(name: str, kind: str, elements: Sequence[str]) -> list[str]:
    held = [f"elements = {{ {', '.join(elements)} }};"] if elements else []
    return [f"{name} {{", f"type {kind};", *held, "}"]


def _chain(name: str, hook: str, lines: Iterable[str]) -> list[str]:
    return [f"chain {name} {{", f"type {hook};", *lines, "}"]


def _choosing(chain: str, port: Port) -> str:
    matches = f"{port.protocol} dport {{ {port.number}, {port.node_port or port.number} }}"
    if len(port.targets) == 1:
        address, number = port.targets[0]
        return f"chain {chain} {{ {matches} dnat ip to {address}:{number}; }}"
    choices = ", ".join(f"{index} : {address} . {number}" for index, (address, number) in enumerate(port.targets))
    chosen = f"numgen random mod {len(port.targets)} map {{ {choices} }}"
    return f"chain {chain} {{ {matches} dnat ip to {chosen}; }}"
