"""--allow."""

from __future__ import annotations

import pytest

from jubako.build.entitlements import Entitlements, entitlements
from jubako.errors import InvalidArgument


def test_nothing_is_granted_unless_it_is_said() -> None:
    assert entitlements([], network="default") == Entitlements()
    assert entitlements(["network.host"], network="default") == Entitlements(host_network=True)
    assert entitlements(["security.insecure"], network="none") == Entitlements(insecure=True)


def test_a_build_on_the_hosts_network_says_so_itself() -> None:
    assert entitlements([], network="host").host_network


@pytest.mark.parametrize(
    ("texts", "granted"),
    [
        ([], False),
        (["device"], True),
        (["device=v.com/gpu=0"], True),
        (["device=v.com/gpu"], True),
        (["device=v.com/gpu=1"], False),
        (["device=v.com"], False),
    ],
)
def test_devices_are_granted_by_name_kind_or_all(texts: list[str], granted: bool) -> None:
    assert entitlements(texts, network="default").device("v.com/gpu=0") is granted


@pytest.mark.parametrize("text", ["network", "security", "device=", "ssh", ""])
def test_an_unknown_entitlement_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match=f"unknown entitlement {text}"):
        entitlements([text], network="default")
