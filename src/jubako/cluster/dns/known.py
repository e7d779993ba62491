"""What the name server knows: the form in which it is told."""

from __future__ import annotations

import msgspec


class NamedPort(msgspec.Struct, frozen=True, array_like=True):
    name: str
    protocol: str
    number: int


class Member(msgspec.Struct, frozen=True, array_like=True):
    """A ready endpoint of a headless Service."""

    address: str
    hostname: str
    ports: tuple[NamedPort, ...]


class Named(msgspec.Struct, frozen=True, array_like=True):
    """A Service: with an address and ports, or headless with members, or another name for something elsewhere."""

    namespace: str
    name: str
    address: str = ""
    alias: str = ""
    ports: tuple[NamedPort, ...] = ()
    members: tuple[Member, ...] = ()


class State(msgspec.Struct, frozen=True):
    """`network` is that of services' addresses, `server` the name server's own; `pods` are (namespace, address)."""

    zone: str
    network: str
    server: str
    services: tuple[Named, ...] = ()
    pods: tuple[tuple[str, str], ...] = ()
