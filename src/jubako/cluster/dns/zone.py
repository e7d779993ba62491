"""All names of a cluster, and an answer for each question.

Model:  the names are one map, made anew from each state. A name that only others end with exists too, without records.
        What is neither in the zone nor an address of ours is for others to answer (None).
Spec:   "Kubernetes DNS-Based Service Discovery"; RFC 2308 (what an answer without records has in it).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

from jubako.cluster.dns.known import Member, Named, NamedPort, State
from jubako.network.dns import wire
from jubako.network.dns.wire import Record, Reply

_TTL_S = 5
_TIMES = struct.pack("!5I", 1, 7200, 1800, 86400, _TTL_S)
_VERSION = b"1.1.0"
_LABEL, _NAME = 63, 253
_ALIASES = 8
_REVERSE = "in-addr.arpa"


class Zone:
    def __init__(self, state: State) -> None:
        self._zone, self._turn = state.zone, 0
        self._network = IPv4Network(state.network)
        self._names: dict[str, list[Record]] = {}
        for record in dict.fromkeys(_records(state)):
            if _fits(record.owner):
                self._names.setdefault(record.owner, []).append(record)
        for name in (f"svc.{state.zone}", f"pod.{state.zone}", *(_name(each, state) for each in state.services)):
            self._names.setdefault(name, [])
        for name in [name for name in self._names if self._is_ours(name)]:
            while (name := name.partition(".")[2]) and self._is_ours(name) and name not in self._names:
                self._names[name] = []
        nobody = (f"ns.dns.{state.zone}", f"hostmaster.{state.zone}", _TIMES)
        self._authority = (Record(state.zone, wire.SOA, _TTL_S, nobody),)

    def resolve(self, name: str, kind: int) -> Reply | None:
        """Return what there is of this kind under a name; None where others have to be asked."""
        if name not in self._names:
            return self._nobody(name)
        aliases = self._of(name, wire.CNAME)
        if aliases and kind != wire.CNAME:
            return self._follow(aliases, kind)
        answers = list(self._authority) if (name, kind) == (self._zone, wire.SOA) else self._of(name, kind)
        if not answers:
            return Reply(authority=self._authority)
        # A client that takes the first is not to take the same as all others.
        self._turn += 1
        answers = [*answers[self._turn % len(answers) :], *answers[: self._turn % len(answers)]]
        return Reply(answers=answers, additional=self._addresses(answers))

    def _of(self, name: str, kind: int) -> list[Record]:
        return [record for record in self._names.get(name, ()) if record.kind == kind]

    def _nobody(self, name: str) -> Reply | None:
        is_ours = self._is_ours(name) or self._is_a_services(name)
        return Reply(wire.NXDOMAIN, authority=self._authority) if is_ours else None

    def _follow(self, chain: list[Record], kind: int) -> Reply:
        """The records at the end of a chain of aliases."""
        for _ in range(_ALIASES):
            target = str(chain[-1].data[0])
            if target not in self._names:
                nobody = self._nobody(target)
                return nobody._replace(answers=chain) if nobody else Reply(answers=chain, alias=target)
            further = self._of(target, wire.CNAME)
            if not further:
                return Reply(answers=[*chain, *self._of(target, kind)])
            chain = [*chain, further[0]]
        return Reply(wire.SERVFAIL)

    def _addresses(self, answers: list[Record]) -> list[Record]:
        targets = dict.fromkeys(str(record.data[1]) for record in answers if record.kind == wire.SRV)
        return [record for target in targets for record in self._of(target, wire.A)]

    def _is_ours(self, name: str) -> bool:
        return name == self._zone or name.endswith(f".{self._zone}")

    def _is_a_services(self, name: str) -> bool:
        """Whether it asks for the name of an address that only a Service can have."""
        if not name.endswith(f".{_REVERSE}"):
            return False
        try:
            return IPv4Address(".".join(reversed(name.removesuffix(f".{_REVERSE}").split(".")))) in self._network
        except ValueError:
            return False


def _records(state: State) -> Iterator[Record]:
    zone, server = state.zone, f"ns.dns.{state.zone}"
    yield Record(zone, wire.NS, _TTL_S, (server,))
    yield _address(server, state.server)
    yield Record(f"dns-version.{zone}", wire.TXT, _TTL_S, (bytes((len(_VERSION),)) + _VERSION,))
    for service in state.services:
        yield from _of_service(_name(service, state), service)
    for namespace, address in dict.fromkeys(state.pods):
        yield _address(f"{_dashed(address)}.{namespace}.pod.{zone}", address)


def _name(service: Named, state: State) -> str:
    return f"{service.name}.{service.namespace}.svc.{state.zone}"


def _of_service(name: str, service: Named) -> Iterator[Record]:
    if service.alias:
        if _fits(service.alias):
            yield Record(name, wire.CNAME, _TTL_S, (service.alias,))
    elif service.address:
        yield _address(name, service.address)
        yield Record(_reverse(service.address), wire.PTR, _TTL_S, (name,))
        yield from _services(name, service.ports, name)
    else:
        for member in service.members:
            yield from _of_member(name, member)


def _of_member(name: str, member: Member) -> Iterator[Record]:
    own = f"{member.hostname or _dashed(member.address)}.{name}"
    yield _address(name, member.address)
    yield _address(own, member.address)
    if member.hostname:
        yield Record(_reverse(member.address), wire.PTR, _TTL_S, (own,))
    yield from _services(name, member.ports, own)


def _services(name: str, ports: tuple[NamedPort, ...], target: str) -> Iterator[Record]:
    for port in ports:
        data = (struct.pack("!3H", 0, 100, port.number), target)
        yield Record(name, wire.SRV, _TTL_S, data)
        if port.name:
            yield Record(f"_{port.name}._{port.protocol}.{name}", wire.SRV, _TTL_S, data)


def _address(name: str, address: str) -> Record:
    return Record(name, wire.A, _TTL_S, (socket.inet_aton(address),))


def _dashed(address: str) -> str:
    return address.replace(".", "-")


def _reverse(address: str) -> str:
    return ".".join([*reversed(address.split(".")), _REVERSE])


def _fits(name: str) -> bool:
    """Whether DNS can carry it; `externalName` may be anything."""
    return len(name) <= _NAME and name.isascii() and all(0 < len(label) <= _LABEL for label in name.split("."))
