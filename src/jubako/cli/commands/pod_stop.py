"""jubako pod stop."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import INT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    timeout_s = arguments.number("time")
    return each(call, arguments.operands, lambda name: call.engine.pods.stop(name, timeout_s))


COMMAND = Command(
    run,
    "[OPTIONS] POD [POD...]",
    SOME,
    (Option("time", "t", INT, "Seconds to wait for the containers to stop before killing them"),),
)
