"""IPv4 addresses and subnets as numbers. The standard library's ipaddress costs 3 ms to import."""

from __future__ import annotations

import socket
from typing import NamedTuple

from jubako.errors import InvalidArgument


def parse(text: str) -> int:
    """Return the number of a dotted IPv4 address; raises InvalidArgument."""
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except OSError:
        raise InvalidArgument(f"invalid IPv4 address: {text}") from None


def show(number: int) -> str:
    """Return the dotted form."""
    return socket.inet_ntoa(number.to_bytes(4, "big"))


def pack(text: str) -> bytes:
    """Return the four bytes of a dotted address."""
    return parse(text).to_bytes(4, "big")


class Subnet(NamedTuple):
    """A block of addresses; `base` has no bits beyond the prefix."""

    base: int
    prefix_len: int

    @classmethod
    def parse(cls, text: str) -> Subnet:
        """Read `10.88.0.0/16`; raises InvalidArgument, also for bits beyond the prefix."""
        base, slash, length = text.partition("/")
        if not slash or not length.isdecimal() or int(length) > 32:
            raise InvalidArgument(f"invalid CIDR address: {text}")
        subnet = cls(parse(base), int(length))
        if subnet.base & (subnet.size - 1):
            raise InvalidArgument(f"invalid subnet {text}: it should be {show(subnet.base & -subnet.size)}/{length}")
        return subnet

    @property
    def size(self) -> int:
        return 1 << (32 - self.prefix_len)

    @property
    def first(self) -> int:
        """The lowest address that a host may have."""
        return self.base + 1

    @property
    def last(self) -> int:
        """The highest address that a host may have; the one above it is the broadcast address."""
        return self.base + self.size - 2

    def has(self, ip: int) -> bool:
        """Tell whether a host of this subnet may have the address."""
        return self.first <= ip <= self.last

    def overlaps(self, other: Subnet) -> bool:
        return self.base < other.base + other.size and other.base < self.base + self.size

    def __str__(self) -> str:
        return f"{show(self.base)}/{self.prefix_len}"


def mac_of(ip: int) -> str:
    """Return the MAC address that Docker derives from an address: one that is free because the address is."""
    return ":".join(f"{byte:02x}" for byte in b"\x02\x42" + ip.to_bytes(4, "big"))


def pack_mac(text: str) -> bytes:
    """Return the six bytes of `02:42:0a:58:00:02`; raises InvalidArgument."""
    try:
        packed = bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError:
        packed = b""
    # The lowest bit of the first byte marks a group address, which no interface can have.
    if len(packed) != 6 or packed[0] & 1:
        raise InvalidArgument(f"invalid MAC address: {text}")
    return packed
