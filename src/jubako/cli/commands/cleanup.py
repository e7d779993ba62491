"""jubako cleanup: what the executor calls once when a container has ended and its starter is gone."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    call.engine.containers.cleanup(arguments.operands[0])
    return 0


COMMAND = Command(run, "CONTAINER", ONE)
