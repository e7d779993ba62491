from __future__ import annotations

import pytest

from jubako.runtime import mount_options as mo
from jubako.spec.oci_runtime import Mount


def parse(*options: str, type: str = "tmpfs") -> mo.Options:
    return mo.parse(Mount(destination="/x", type=type, options=list(options)))


def test_attributes_data_and_propagation_are_told_apart() -> None:
    options = parse("ro", "nosuid", "size=64k", "mode=755", "rslave")
    assert (options.set, options.clear) == (mo.RDONLY | mo.NOSUID, 0)
    assert options.data == ["size=64k", "mode=755"]
    assert (options.propagation, options.propagation_recursive) == (mo.SLAVE, True)


def test_the_later_of_two_contrary_options_wins() -> None:
    assert (parse("ro", "rw").set, parse("ro", "rw").clear) == (0, mo.RDONLY)
    assert (parse("rw", "ro").set, parse("rw", "ro").clear) == (mo.RDONLY, 0)


def test_access_times_are_one_field() -> None:
    assert (parse("noatime", "strictatime").set, parse("noatime", "strictatime").clear) == (mo.STRICTATIME, mo.ATIME)
    assert (parse("noatime", "relatime").set, parse("noatime", "relatime").clear) == (0, mo.ATIME)


def test_recursive_options_are_apart() -> None:
    options = parse("rbind", "rro", "nodev", type="bind")
    assert (options.bind, options.recursive) == (True, True)
    assert (options.set, options.all_set) == (mo.NODEV, mo.RDONLY)


@pytest.mark.parametrize("name", ["relatime", "ro", "rw"])
def test_options_that_begin_with_r_are_not_taken_for_recursive_ones(name: str) -> None:
    assert (parse(name).all_set, parse(name).all_clear) == (0, 0)


def test_a_bind_is_one_by_type_or_option() -> None:
    assert parse(type="bind").bind
    assert parse("bind", type="none").bind
    assert not parse().bind
