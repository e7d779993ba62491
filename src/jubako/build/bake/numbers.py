"""Functions of bake files about numbers and about addresses.

Spec: buildx, docs/bake-stdlib.md.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Mapping

from jubako.build.bake.values import BakeError, Value, number_of, text_of

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _whole(value: Value) -> int:
    return int(number_of(value))


def _power(base: Value, exponent: Value) -> Value:
    return number_of(math.pow(number_of(base), number_of(exponent)))


def _logarithm(number: Value, base: Value) -> Value:
    return number_of(round(math.log(number_of(number), number_of(base)), 12))


def _signum(number: Value) -> Value:
    whole = _whole(number)
    return (whole > 0) - (whole < 0)


def _network(prefix: Value) -> _Network:
    return ipaddress.ip_network(text_of(prefix), strict=False)


def _host(prefix: Value, number: Value) -> Value:
    network, count = _network(prefix), _whole(number)
    if not -network.num_addresses <= count < network.num_addresses:
        raise BakeError(f"prefix of {network.prefixlen} has no host number {count}")
    return str(network[count])


def _subnet(prefix: Value, bits: Value, number: Value) -> Value:
    network, more, count = _network(prefix), _whole(bits), _whole(number)
    length = network.prefixlen + more
    if more < 0 or length > network.max_prefixlen:
        raise BakeError(f"not enough remaining address space for {more} more bits of prefix")
    if not 0 <= count < 1 << more:
        raise BakeError(f"{more} more bits of prefix have no network number {count}")
    first = int(network.network_address) + (count << (network.max_prefixlen - length))
    return f"{type(network.network_address)(first)}/{length}"


def _subnets(prefix: Value, *bits: Value) -> Value:
    """One behind the other, each where its size may begin."""
    network = _network(prefix)
    following, found = int(network.network_address), list[Value]()
    for more in map(_whole, bits):
        length = network.prefixlen + more
        if more < 1 or length > network.max_prefixlen:
            raise BakeError(f"not enough remaining address space for {more} more bits of prefix")
        size = 1 << (network.max_prefixlen - length)
        following = -(-following // size) * size
        if following + size > int(network.network_address) + network.num_addresses:
            raise BakeError("not enough remaining address space")
        found.append(f"{type(network.network_address)(following)}/{length}")
        following += size
    return found


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "absolute": lambda number: abs(number_of(number)),
    "cidrhost": _host,
    "cidrnetmask": lambda prefix: str(_network(prefix).netmask),
    "cidrsubnet": _subnet,
    "cidrsubnets": _subnets,
    "log": _logarithm,
    "negate": lambda number: -number_of(number),
    "parseint": lambda text, base: int(text_of(text), _whole(base)),
    "pow": _power,
    "signum": _signum,
}
