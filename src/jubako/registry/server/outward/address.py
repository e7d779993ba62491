"""Where a URL of the configuration may lead: its name is looked up once, and what was found is what is connected to.

Link-local addresses (where clouds keep their metadata), multicast and unspecified ones are refused, so that neither a
name that changes between check and use nor a redirect leads there.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import SplitResult, urlsplit

import urllib3

from jubako.errors import InvalidArgument, Unavailable

# AWS answers here over IPv6, inside the range of private addresses.
_METADATA = frozenset({ipaddress.ip_address("fd00:ec2::254")})


def pool_for(url: str) -> urllib3.HTTPConnectionPool:
    """Return connections to the host of `url` by its address. Raises InvalidArgument, Unavailable."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = _allowed(host, port)
    settings: dict[str, Any] = {"retries": False, "timeout": urllib3.Timeout(connect=5, read=10), "maxsize": 1}
    if parts.scheme == "http":
        return urllib3.HTTPConnectionPool(address, port, **settings)
    return urllib3.HTTPSConnectionPool(address, port, server_hostname=host, assert_hostname=host, **settings)


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return SplitResult("", "", parts.path or "/", parts.query, "").geturl()


def host_header(url: str) -> str:
    return urlsplit(url).netloc


def _allowed(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unavailable(f"{host} cannot be looked up: {error}") from error
    address = str(found[0][4][0])
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    if mapped.is_link_local or mapped.is_multicast or mapped.is_unspecified or mapped in _METADATA:
        raise InvalidArgument(f"refusing to send to {host}: its address {address} is not one to send to")
    return address
