"""Where a build may fetch from: names are resolved once, and the address that was judged is the one connected to.

Link-local addresses and those where clouds answer with a machine's credentials are refused, whoever names them. This
machine and private networks are fine where the user names them, but nothing public may redirect there (SSRF).
"""

from __future__ import annotations

import ipaddress
import socket

import msgspec

from jubako.errors import PermissionDenied, Unavailable

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Clouds' metadata services outside the link-local networks: AWS over IPv6, Alibaba, Azure's agent, Oracle.
_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Target(msgspec.Struct, frozen=True):
    """A host that was looked up: connect to `address`. `public` is what the internet at large can reach."""

    address: str
    public: bool


def resolve(host: str, port: int, *, public_only: bool = False) -> Target:
    """Look `host` up and judge it. Raises Unavailable, PermissionDenied if any of its addresses must not be used."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(f"cannot find {host}: {getattr(error, 'strerror', None) or error}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        _check(host, address, public_only=public_only)
    return Target(addresses[0], _meant(addresses[0]).is_global)


def _check(host: str, text: str, *, public_only: bool) -> None:
    address = _meant(text)
    refused = address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA
    if refused or (public_only and not address.is_global):
        where = f"{host} ({text})" if host != text else host
        reason = "a link-local or metadata address" if refused else "an internal address that a redirect leads to"
        raise PermissionDenied(f"a build may not fetch from {where}: it is {reason}")


def _meant(text: str) -> _Address:
    """The address that packets will go to, taken out of the IPv6 forms that carry an IPv4 one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
