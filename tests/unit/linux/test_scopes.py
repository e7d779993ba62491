"""What systemd is told of a container."""

from __future__ import annotations

import pytest

from jubako.errors import InvalidArgument
from jubako.linux.cgroup import scopes
from jubako.runtime.defaults import DEVICE_RULES
from jubako.spec.oci_runtime import CPUResources, DeviceRule, MemoryResources, PidsResources, Resources

INFINITY = (1 << 64) - 1


@pytest.mark.parametrize(
    ("path", "user", "expected"),
    [
        ("", False, ("system.slice", "jubako-box.scope")),
        ("", True, ("user.slice", "jubako-box.scope")),
        ("machine.slice:libpod:abc", False, ("machine.slice", "libpod-abc.scope")),
        (":cri:abc", False, ("system.slice", "cri-abc.scope")),
        ("a.slice::abc", False, ("a.slice", "abc.scope")),
    ],
)
def test_a_path_names_slice_and_scope(path: str, user: bool, expected: tuple[str, str]) -> None:
    assert scopes.unit_names(path, "box", user=user) == expected


@pytest.mark.parametrize("path", ["/some/where", "a:b", "a:b:c:d"])
def test_a_path_of_another_form_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument, match="slice:prefix:name"):
        scopes.unit_names(path, "box", user=False)


@pytest.mark.parametrize(
    ("name", "path"),
    [("-.slice", ""), ("a.slice", "/a.slice"), ("a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice")],
)
def test_slices_nest_by_their_dashes(name: str, path: str) -> None:
    assert scopes.expand_slice(name) == path


@pytest.mark.parametrize("name", ["a", ".slice", "a--b.slice", "-a.slice", "a-.slice", "a/b.slice", "../x.slice"])
def test_what_is_no_slice_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid slice name"):
        scopes.expand_slice(name)


def test_limits_are_systemds_properties() -> None:
    resources = Resources(
        memory=MemoryResources(limit=100, reservation=-1, swap=150),
        cpu=CPUResources(shares=1024, quota=33333, period=100000, cpus="0-2,9", mems="0"),
        pids=PidsResources(limit=7),
    )
    assert scopes.properties(resources) == [
        ("MemoryMax", ("t", 100)),
        ("MemoryLow", ("t", INFINITY)),
        ("MemorySwapMax", ("t", 50)),
        ("CPUWeight", ("t", 39)),
        ("CPUQuotaPeriodUSec", ("t", 100000)),
        ("CPUQuotaPerSecUSec", ("t", 340000)),
        ("AllowedCPUs", ("ay", b"\x07\x02")),
        ("AllowedMemoryNodes", ("ay", b"\x01")),
        ("TasksMax", ("t", 7)),
    ]


def test_no_limit_is_infinity_and_nothing_is_nothing() -> None:
    resources = Resources(memory=MemoryResources(limit=-1, swap=-1), pids=PidsResources(limit=-1))
    assert [value for _, (_, value) in scopes.properties(resources)] == [INFINITY] * 3
    assert scopes.properties(Resources()) == []


def test_rules_that_allow_by_and_by_are_a_list_of_systemds() -> None:
    policy, allowed = scopes.properties(Resources(devices=[DeviceRule(allow=False), *DEVICE_RULES]))
    assert policy == ("DevicePolicy", ("s", "strict"))
    assert {("char-*", "m"), ("block-*", "m"), ("/dev/char/1:3", "rwm")} <= set(allowed[1][1])


def test_any_number_may_be_written_as_one_below_zero() -> None:
    rules = [DeviceRule(allow=False), DeviceRule(allow=True, type="c", major=-1, minor=-1, access="r")]
    assert scopes.properties(Resources(devices=rules))[1] == ("DeviceAllow", ("a(ss)", [("char-*", "r")]))


@pytest.mark.parametrize(
    "rules",
    [
        [DeviceRule(allow=True)],
        [*DEVICE_RULES, DeviceRule(allow=False, type="c", major=1, minor=5, access="w")],
        [DeviceRule(allow=False), DeviceRule(allow=True, type="c", minor=3, access="r")],
        [
            DeviceRule(allow=True),
            DeviceRule(allow=False, access="w"),
            DeviceRule(allow=True, type="c", major=1, minor=5),
        ],
    ],
)
def test_rules_that_systemd_can_not_say_are_left_to_our_program(rules: list[DeviceRule]) -> None:
    assert scopes.properties(Resources(devices=rules)) == [
        ("DevicePolicy", ("s", "auto")),
        ("DeviceAllow", ("a(ss)", [])),
    ]


@pytest.mark.parametrize("text", ["0-99999999999", "5-2", "x", "-1", "8192"])
def test_a_list_of_processors_that_none_could_have_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="not a list of numbers"):
        scopes.properties(Resources(cpu=CPUResources(cpus=text)))
