"""jubako restart."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import INT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    timeout_s = arguments.number("timeout")
    if timeout_s is None:
        timeout_s = arguments.number("time")
    return each(call, arguments.operands, lambda name: call.engine.containers.restart(name, timeout_s))


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER [CONTAINER...]",
    SOME,
    (
        # The name before Docker 28.
        Option("time", "", INT, "Seconds to wait before killing the container", hidden=True),
        Option("timeout", "t", INT, "Seconds to wait before killing the container"),
    ),
)
