"""jubako restart."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import INT, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    timeout_s = arguments.number("timeout")
    if timeout_s is None:
        timeout_s = arguments.number("time")
    signal = arguments.optional("signal")
    containers = call.engine.containers
    return each(call, arguments.operands, lambda name: containers.restart(name, timeout_s, signal=signal))


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER [CONTAINER...]",
    SOME,
    (
        Option("signal", "s", TEXT, "Signal to send to the container"),
        # The name before Docker 28.
        Option("time", "", INT, "Seconds to wait before killing the container", hidden=True),
        Option("timeout", "t", INT, "Seconds to wait before killing the container"),
    ),
)
