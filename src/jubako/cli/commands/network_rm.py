"""jubako network rm."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    force = arguments.flag("force")
    return each(call, arguments.operands, call.engine.networks.remove, forgive_missing=force)


COMMAND = Command(
    run,
    "[OPTIONS] NETWORK [NETWORK...]",
    SOME,
    (Option("force", "f", FLAG, "Do not error if the network does not exist"),),
)
