"""What the store keeps of networks: networks, endpoints, and claims on host ports.

Keys:    network: its ID (its name is unique)      endpoint: `CONTAINER/NETWORK` (its address is unique)
         port: `PROTOCOL/PORT/HOST_IP`
"""

from __future__ import annotations

import msgspec

BRIDGE, HOST, NONE = "bridge", "host", "null"


class PortBinding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A published port. `host_ip` "" is every address of the host; `host_port` 0 is one of our choosing.

    With `host_port_end` it is any of host_port..host_port_end. `chosen` says that the choice was wholly ours.
    """

    host_ip: str = ""
    host_port: int = 0
    container_port: int = 0
    protocol: str = "tcp"
    host_port_end: int = 0
    chosen: bool = False

    @property
    def address(self) -> str:
        """The host address as Docker shows it."""
        return self.host_ip or "0.0.0.0"


class Network(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A network. `bridge` is its link on the host; `automatic` says that the subnet is ours to choose."""

    id: str
    name: str
    driver: str
    subnet: str = ""
    gateway: str = ""
    bridge: str = ""
    internal: bool = False
    automatic: bool = False
    labels: dict[str, str] = {}
    created_ns: int = 0


class Endpoint(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A container's place in a network. `link` is the host's end of the pair, `interface` the container's.

    `holder` is the process that reserved it, so that nobody takes it for a dead container's while it is being started.
    """

    id: str
    container_id: str
    container_name: str
    network_id: str
    network: str
    driver: str
    ip: str = ""
    prefix_len: int = 0
    gateway: str = ""
    mac: str = ""
    aliases: list[str] = []
    ports: list[PortBinding] = []
    link: str = ""
    interface: str = ""
    holder: str = ""

    @property
    def key(self) -> str:
        return f"{self.container_id}/{self.network_id}"


class PortClaim(msgspec.Struct, frozen=True):
    """Who has a host port: the endpoint's key."""

    endpoint: str


class Cursor(msgspec.Struct, frozen=True):
    """The address handed out last, so that one given back is not reused at once."""

    last: int
