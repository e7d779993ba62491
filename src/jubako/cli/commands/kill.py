"""jubako kill."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    signal = arguments.text("signal") or "KILL"
    return each(call, arguments.operands, lambda name: call.engine.containers.kill(name, signal))


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER [CONTAINER...]",
    SOME,
    (Option("signal", "s", TEXT, "Signal to send to the container"),),
)
