"""What there is to forward -> a table of nftables.

services    address . protocol . port -> the chain of that port, which chooses a target at random
nodeports   protocol . port -> the same, on any address of this machine
nowhere     what has no target is refused instead of sent elsewhere, and so is all else in the services' network
served      what has targets and was led to none of them met a change of the table, whose old choice finds nothing
            from one moment to the next, though its chain goes on: dropped, so that the client asks once more

Affinity:   a port whose clients stay has a set for each target, of the clients that it had lately; each new connection
            says so again. A target that goes takes its set along, and its clients are given another one.
Policies:   `forward` sees a packet with the pod that sent it and the pod that it is for: there NetworkPolicy belongs,
            before the two rules that refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from jubako.cluster.proxy.ports import Port, Target

_CLIENTS = 65536
_KEY = "ip daddr . ip protocol . th dport"
_FORWARD = (f"{_KEY} vmap @services", "fib daddr type local ip protocol . th dport vmap @nodeports")
_BASES = {
    "prerouting": "nat hook prerouting priority dstnat - 5",
    "output": "nat hook output priority -105",
    "forward": "filter hook forward priority filter - 5",
    "refuse_own": "filter hook output priority filter - 5",
}
_SETS = {
    "services": "map services { type ipv4_addr . inet_proto . inet_service : verdict; }",
    "nodeports": "map nodeports { type inet_proto . inet_service : verdict; }",
    "nowhere": "set nowhere { type ipv4_addr . inet_proto . inet_service; }",
    "served": "set served { type ipv4_addr . inet_proto . inet_service; }",
}


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`hooks` are the chains that the kernel enters by; `chains` have each chain's rules; `sets` are declarations, of
    maps too; `elements` are what the ones that are ours to fill have in them, by key ("" where there is no value)."""

    hooks: Mapping[str, str]
    chains: Mapping[str, Sequence[str]]
    sets: Mapping[str, str]
    elements: Mapping[str, Mapping[str, str]]


def table(ports: Sequence[Port], network: str) -> Table:
    """Return the table that does what is wanted; `network` is that of services' addresses."""
    served = [port for port in ports if port.targets]
    # A reset for TCP: ICMP is rationed for each destination, and a client that is told nothing waits.
    how = ("meta l4proto tcp reject with tcp reset", "reject")
    refused = (
        *(f"{_KEY} @nowhere {each}" for each in how),
        f"ct state new {_KEY} @served drop",
        *(f"ip daddr {network} {each}" for each in how),
    )
    chains: dict[str, Sequence[str]] = {"prerouting": _FORWARD, "output": _FORWARD}
    chains |= {"forward": refused, "refuse_own": refused}
    sets = dict(_SETS)
    for port in served:
        chains |= _choosing(port)
        sets |= {_clients(port, each): _of_clients(port, each) for each in port.targets if port.affinity_s}
    elements = {
        "services": {key: f"goto {_chain(port)}" for port in served for key in _frontends(port)},
        "nodeports": {f"{p.protocol} . {p.node_port}": f"goto {_chain(p)}" for p in served if p.node_port},
        "nowhere": {key: "" for port in ports if not port.targets for key in _frontends(port)},
        "served": {key: "" for port in served for key in _frontends(port)},
    }
    return Table(hooks=_BASES, chains=chains, sets=sets, elements=elements)


def _frontends(port: Port) -> Iterable[str]:
    return (f"{address} . {port.protocol} . {port.number}" for address in port.addresses)


def _chain(port: Port) -> str:
    return f"service/{port.name}"


def _choosing(port: Port) -> dict[str, Sequence[str]]:
    if port.affinity_s:
        return _choosing_again(port)
    if len(port.targets) == 1:
        return {_chain(port): [_to(port, f"{port.targets[0].address}:{port.targets[0].port}")]}
    choices = ", ".join(f"{index} : {each.address} . {each.port}" for index, each in enumerate(port.targets))
    return {_chain(port): [_to(port, f"{_random(port)} map {{ {choices} }}")]}


def _choosing_again(port: Port) -> dict[str, Sequence[str]]:
    """The target that the client had lately, or any."""
    ends = {each: f"target/{port.name}/{each.address}/{each.port}" for each in port.targets}
    known = [f"ip saddr @{_clients(port, each)} goto {end}" for each, end in ends.items()]
    choices = ", ".join(f"{index} : goto {end}" for index, end in enumerate(ends.values()))
    chains: dict[str, Sequence[str]] = {_chain(port): [*known, f"{_random(port)} vmap {{ {choices} }}"]}
    for each, end in ends.items():
        # Two rules: a full set ends the first, and the client is let in all the same.
        chains[end] = [f"update @{_clients(port, each)} {{ ip saddr }}", _to(port, f"{each.address}:{each.port}")]
    return chains


def _to(port: Port, where: str) -> str:
    return f"meta l4proto {port.protocol} dnat ip to {where}"


def _random(port: Port) -> str:
    return f"numgen random mod {len(port.targets)}"


def _clients(port: Port, target: Target) -> str:
    # With the time in its name: a set's own can not be changed.
    return f"clients/{port.name}/{target.address}/{target.port}/{port.affinity_s}"


def _of_clients(port: Port, target: Target) -> str:
    kind = f"type ipv4_addr; size {_CLIENTS}; flags dynamic,timeout; timeout {port.affinity_s}s;"
    return f"set {_clients(port, target)} {{ {kind} }}"
