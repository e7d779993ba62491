"""jubako unpause."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    return each(call, arguments.operands, lambda name: call.engine.containers.unpause(name))


COMMAND = Command(run, "CONTAINER [CONTAINER...]", SOME)
