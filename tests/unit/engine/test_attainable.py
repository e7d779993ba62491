"""Limits, as far as the controllers go that there are."""

from __future__ import annotations

import pytest

from jubako.engine.resources import attainable
from jubako.spec.oci_runtime import CPUResources, DeviceRule, MemoryResources, PidsResources, Resources


def asked() -> Resources:
    return Resources(
        devices=[DeviceRule(allow=True)],
        memory=MemoryResources(limit=1 << 26),
        cpu=CPUResources(quota=50_000, period=100_000, cpus="0"),
        pids=PidsResources(limit=10),
    )


def test_with_all_controllers_all_is_set() -> None:
    assert attainable(asked(), ["memory", "cpu", "cpuset", "pids"]) == (asked(), [])


@pytest.mark.parametrize(
    ("missing", "name"), [("memory", "memory"), ("cpu", "CPU"), ("cpuset", "CPU sets"), ("pids", "processes")]
)
def test_what_has_no_controller_is_left_out_by_name(missing: str, name: str) -> None:
    found, lost = attainable(asked(), {"memory", "cpu", "cpuset", "pids"} - {missing})
    assert lost == [name]
    assert attainable(found, {"memory", "cpu", "cpuset", "pids"} - {missing}) == (found, [])


def test_without_controllers_nothing_but_device_rules_is_left() -> None:
    found, lost = attainable(asked(), [])
    assert lost == ["memory", "CPU", "CPU sets", "processes"]
    assert found == Resources(devices=[DeviceRule(allow=True)], cpu=CPUResources())


def test_what_is_not_asked_for_is_not_told() -> None:
    assert attainable(Resources(), []) == (Resources(), [])
