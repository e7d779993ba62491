"""Networks of containers: bridge with published ports, host, none.

`networks` is the front; `catalog` knows which networks exist, `addresses` and `ports` hand out what is unique, `bridge`
and `firewall` change the kernel, `sockets` hold host ports; `publish`, `resolv` and `hosts` read and write texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.network.record import Endpoint, Network, PortBinding

if TYPE_CHECKING:
    from jubako.network.networks import Networks

__all__ = ["Endpoint", "Network", "Networks", "PortBinding"]


def __getattr__(name: str) -> object:
    # The kernel's side is imported by those who connect something: `run --network none` does not.
    if name == "Networks":
        from jubako.network.networks import Networks

        return Networks
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
