"""kill -9 of `jubako-oci` at each of its system calls: `delete --force` removes everything, and the id is free again.

Every call counts that the command, the executor and the first process make, from the first change on. By default some
are tried, other ones at each run; JUBAKO_CRASH_EVERY=1 tries them all.
"""

from __future__ import annotations

import os
import random

import pytest

from .conftest import Victim

pytestmark = pytest.mark.root

EVERY = int(os.environ.get("JUBAKO_CRASH_EVERY", "150"))
WHO = ("caller", "command")


def moments(victim: Victim, *command: str) -> range:
    """Numbers of calls to be killed at, four at least."""
    count = victim.killed("caller", 0, *command)
    assert count > 10
    step = min(EVERY, count // 4)
    return range(1 + random.randrange(step), count + 1, step)


def assert_force_removes_all(victim: Victim, moment: str) -> None:
    victim.succeeds("delete", "--force", "victim")
    assert victim.remains() == [], moment


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("verb", ["create", "run", "run -d"])
def test_kill_while_it_is_made(victim: Victim, verb: str, who: str) -> None:
    victim.configure("sleep", "0.1" if verb == "run" else "1000")
    command = (*verb.split(), "-b", str(victim.bundle), "victim")
    for number in moments(victim, *command):
        assert_force_removes_all(victim, f"before call {number}")
        victim.killed(who, number, *command)
    assert_force_removes_all(victim, "at the last")
    victim.succeeds("create", "-b", str(victim.bundle), "victim")
    victim.succeeds("start", "victim")


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize(
    "verb", ["start victim", "exec victim sleep 0.1", "exec -d victim sleep 1000", "delete --force victim"]
)
def test_kill_while_it_is_there(victim: Victim, verb: str, who: str) -> None:
    victim.configure("sleep", "1000")
    command = verb.split()

    def make() -> None:
        victim.succeeds("create", "-b", str(victim.bundle), "victim")
        if command[0] != "start":
            victim.succeeds("start", "victim")

    make()
    for number in moments(victim, *command):
        assert_force_removes_all(victim, f"before call {number}")
        make()
        victim.killed(who, number, *command)
    assert_force_removes_all(victim, "at the last")
