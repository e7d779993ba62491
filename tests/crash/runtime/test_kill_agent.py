"""kill -9 of whoever hands a filter's notifications to its agent: nobody waits for the dead, and nothing stays."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...integration.runtime.agent import Agent
from .conftest import Victim

pytestmark = pytest.mark.root

EVERY = min(int(os.environ.get("JUBAKO_CRASH_EVERY", "150")), 8)
LAST = 64


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    made = Agent(tmp_path / "agent.sock", lambda *_: None)
    made.path.chmod(0o777)
    yield made
    made.close()


def ask(victim: Victim, agent: Agent) -> None:
    """A filter all of whose mkdir(2) are the agent's to decide."""
    path = victim.bundle / "config.json"
    config = json.loads(path.read_text())
    rule = {"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}
    config["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": str(agent.path),
        "syscalls": [rule],
    }
    path.write_text(json.dumps(config))


@pytest.mark.parametrize("verb", ["run -d", "exec -d"])
def test_kill_while_the_agent_is_given_the_listener(victim: Victim, agent: Agent, verb: str) -> None:
    victim.configure("sleep", "1000")
    ask(victim, agent)
    command = ["run", "-d", "-b", str(victim.bundle), "victim"]
    if verb == "exec -d":
        victim.succeeds(*command)
        command = ["exec", "-d", "victim", "sleep", "1000"]
    count = victim.killed("caller", 0, *command)
    for number in range(count - LAST + random.randrange(EVERY), count + 1, EVERY):
        victim.succeeds("delete", "--force", "victim")
        assert victim.remains() == [], f"before call {number}"
        if verb == "exec -d":
            victim.succeeds("run", "-d", "-b", str(victim.bundle), "victim")
        victim.killed("caller", number, *command)
    victim.succeeds("delete", "--force", "victim")
    assert victim.remains() == []
