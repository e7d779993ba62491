"""jubako volume rm."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    force = arguments.flag("force")
    return each(call, arguments.operands, lambda name: call.engine.volumes.remove(name, force=force))


COMMAND = Command(
    run,
    "[OPTIONS] VOLUME [VOLUME...]",
    SOME,
    (Option("force", "f", FLAG, "Force the removal of one or more volumes"),),
)
