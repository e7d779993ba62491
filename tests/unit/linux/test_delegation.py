"""Which control groups an ordinary user's containers get, by what was found."""

from __future__ import annotations

import msgspec
import pytest

from jubako.linux.cgroup import SYSTEMD
from jubako.linux.cgroup.delegation import Delegation, Found, Level, choose

GIVEN = frozenset({"memory", "pids"})
ROOTS = Level("/a", is_own=False, has_processes=True)
FREE = Level("/a/users", is_own=True, has_processes=False, controllers=GIVEN)
BUSY = Level("/a/users/shell", is_own=True, has_processes=True, controllers=GIVEN)
BARE = Found(is_v2=True, levels=(ROOTS,))


def with_levels(*levels: Level) -> Found:
    return msgspec.structs.replace(BARE, levels=levels)


def test_the_users_own_systemd_comes_first() -> None:
    found = Found(is_v2=True, has_systemd=True, systemd_controllers=frozenset({"cpu"}), levels=(BUSY, FREE, ROOTS))
    assert choose(found) == Delegation(SYSTEMD, frozenset({"cpu"}))


def test_else_the_nearest_group_of_the_users_without_processes() -> None:
    further = Level("/a", is_own=True, has_processes=False, controllers=GIVEN | {"cpu"})
    assert choose(with_levels(BUSY, FREE, further)) == Delegation("/a/users", GIVEN)


def test_one_that_is_free_and_not_the_users_is_none() -> None:
    assert choose(with_levels(BUSY, msgspec.structs.replace(FREE, is_own=False))).place == ""


@pytest.mark.parametrize("path", ["/user.slice/user-9.slice/user@9.service", "/x/app.slice"])
def test_the_inner_groups_of_a_systemd_are_none(path: str) -> None:
    """It takes back controllers that no unit of its own needs."""
    found = Found(is_v2=True, trouble="it sleeps", levels=(msgspec.structs.replace(FREE, path=path),))
    assert choose(found).place == ""


def test_a_group_with_processes_is_none_and_how_to_leave_it_is_said() -> None:
    given = choose(with_levels(BUSY, ROOTS))
    assert (given.place, given.controllers) == ("", frozenset())
    assert "the control group /a/users/shell is this user's, but has processes" in given.reason
    assert given.hint == "cd /sys/fs/cgroup/a/users/shell && mkdir shell && echo $$ >shell/cgroup.procs"


@pytest.mark.parametrize(
    ("found", "reason", "hint"),
    [
        (Found(is_v2=False, levels=(FREE,)), "on cgroup v2 alone", "sudo jubako"),
        (
            msgspec.structs.replace(BARE, trouble="it sleeps"),
            "own systemd would make the control groups, but it sleeps",
            "linger",
        ),
        (
            BARE,
            "the control group /a is not delegated to this user",
            "chown USER . cgroup.procs cgroup.subtree_control",
        ),
        (with_levels(), "the control group / is not delegated to this user", "chown"),
    ],
)
def test_where_there_are_none_it_is_said_why_and_what_to_do(found: Found, reason: str, hint: str) -> None:
    given = choose(found)
    assert given.place == ""
    assert reason in given.reason
    assert hint in given.hint


def test_a_systemd_that_is_out_of_reach_leaves_the_group() -> None:
    found = Found(is_v2=True, trouble="it sleeps", levels=(BUSY, FREE))
    assert choose(found).place == "/a/users"
