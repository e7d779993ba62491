"""What a container can do to its host's network."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from jubako.linux.netns import inside

from .conftest import Start
from .world import World

pytestmark = pytest.mark.root

ROUTER = socket.inet_pton(socket.AF_INET6, "fe80::bad")
ALL_NODES = socket.inet_pton(socket.AF_INET6, "ff02::1")


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def advertisement() -> bytes:
    """An Ethernet frame that offers a default route and the prefix 2001:db8::/64, RFC 4861."""
    prefix = struct.pack("!BBBBIII16s", 3, 4, 64, 0xC0, 1800, 1800, 0, socket.inet_pton(socket.AF_INET6, "2001:db8::"))
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix
    body = (
        body[:2] + struct.pack("!H", checksum(ROUTER + ALL_NODES + struct.pack("!II", len(body), 58) + body)) + body[4:]
    )
    packet = struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + ROUTER + ALL_NODES + body
    return bytes.fromhex("333300000001") + bytes.fromhex("020000000bad") + b"\x86\xdd" + packet


def test_cve_2020_13401_the_host_takes_no_route_from_a_containers_router_advertisement(
    world: World, start: Start
) -> None:
    web = start("web")
    with inside(web.fd), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind(("eth0", 0))
        for _ in range(5):
            raw.send(advertisement())
            time.sleep(0.05)
    assert "fe80::bad" not in world.host.run("ip -6 route")
    assert "2001:db8" not in world.host.run("ip -6 addr; ip -6 route")
