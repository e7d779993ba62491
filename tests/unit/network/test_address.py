"""Addresses, subnets and the names of links."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jubako.errors import InvalidArgument, ResourceExhausted
from jubako.network import address, subnets
from jubako.network.address import Subnet
from jubako.network.naming import Names

networks = st.builds(
    lambda base, length: ipaddress.ip_network((base >> (32 - length) << (32 - length), length)),
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
)


@given(networks, networks)
def test_subnets_agree_with_the_standard_library(one: ipaddress.IPv4Network, other: ipaddress.IPv4Network) -> None:
    mine, theirs = Subnet.parse(str(one)), Subnet.parse(str(other))
    assert str(mine) == str(one)
    assert mine.overlaps(theirs) == one.overlaps(other)
    assert address.show(mine.last) == str(one[-2])
    assert mine.has(int(one[1]))
    assert not mine.has(int(one.network_address))
    assert not mine.has(int(one.broadcast_address))


@pytest.mark.parametrize(
    "text", ["10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/x", "10.0.0/24", "10.0.0.1/24", "::/64"]
)
def test_a_subnet_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        Subnet.parse(text)


@pytest.mark.parametrize("text", ["", "02:42", "03:42:0a:58:00:02", "02:42:0a:58:00:0g", "02:42:0a:58:00:02:03"])
def test_a_mac_address_that_no_interface_can_have_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        address.pack_mac(text)


def test_the_mac_address_follows_from_the_ip_address() -> None:
    assert address.mac_of(address.parse("10.88.0.2")) == "02:42:0a:58:00:02"


def test_names_of_links_fit_the_kernels_limit_and_differ_between_engines(tmp_path: Path) -> None:
    one, other = Names(tmp_path / "one"), Names(tmp_path / "other")
    assert one.default_bridge != other.default_bridge
    assert one.table != other.table
    for name in (one.default_bridge, one.bridge("ab" * 32), one.link("cd" * 32)):
        assert len(name) <= 15
    assert not one.link("cd" * 32).startswith(other.link_prefix)


def test_the_default_engine_has_plain_names() -> None:
    names = Names("/var/lib/jubako")
    assert (names.default_bridge, names.table) == ("jubako0", "jubako")


def test_a_subnet_that_the_host_uses_is_not_chosen() -> None:
    names = Names("/var/lib/jubako")
    assert str(subnets.choose(names, [], default=True)) == "10.88.0.0/16"
    chosen = subnets.choose(names, [Subnet.parse("10.0.0.0/8")], default=True)
    assert not chosen.overlaps(Subnet.parse("10.0.0.0/8"))
    with pytest.raises(ResourceExhausted, match="non-overlapping IPv4 address pool"):
        subnets.choose(names, [Subnet.parse("0.0.0.0/0")], default=False)
