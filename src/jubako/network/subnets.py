"""Which subnet a network gets that names none.

The default engine's `bridge` is 10.88.0.0/16 where that is free. Other engines begin at a place that their state
directory's hash gives, so that two that have not brought up a bridge yet do not choose alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from jubako.errors import ResourceExhausted
from jubako.network.address import Subnet
from jubako.network.naming import Names

_FIRST_BRIDGE = "10.88.0.0/16"
_BRIDGES = ("10.90.0.0/15", "10.92.0.0/14")
_SMALL = ("10.89.0.0/16", "172.28.0.0/14", "192.168.128.0/17", "10.90.0.0/15")


def choose(names: Names, taken: Sequence[Subnet], *, default: bool) -> Subnet:
    """Return a subnet that overlaps none of `taken`; `default` asks for one fit for the network `bridge`."""
    for candidate in _bridges(names) if default else _small(names):
        if not any(candidate.overlaps(other) for other in taken):
            return candidate
    raise ResourceExhausted(
        "could not find an available, non-overlapping IPv4 address pool among the defaults to assign to the network",
        hint="name one with --subnet",
    )


def _bridges(names: Names) -> Iterable[Subnet]:
    first = [Subnet.parse(_FIRST_BRIDGE)] if names.is_default else []
    return chain(first, _blocks(names, _BRIDGES, 20), _small(names))


def _small(names: Names) -> Iterable[Subnet]:
    return chain.from_iterable(_blocks(names, [pool], 24) for pool in _SMALL)


def _blocks(names: Names, pools: Sequence[str], prefix_len: int) -> list[Subnet]:
    """The subnets of a length in `pools`, from where this engine begins."""
    step = 1 << (32 - prefix_len)
    blocks = [
        Subnet(base, prefix_len)
        for pool in map(Subnet.parse, pools)
        for base in range(pool.base, pool.base + pool.size, step)
    ]
    start = 0 if names.is_default else names.seed % len(blocks)
    return blocks[start:] + blocks[:start]
