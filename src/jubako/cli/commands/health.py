"""jubako health: what the executor calls when the health of a container, or a probe of its, has changed."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    call.engine.containers.notice(arguments.operands[0])
    return 0


COMMAND = Command(run, "CONTAINER", ONE)
