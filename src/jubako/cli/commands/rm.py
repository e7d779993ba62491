"""jubako rm."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    force, volumes = arguments.flag("force"), arguments.flag("volumes")
    containers = call.engine.containers
    return each(
        call,
        arguments.operands,
        lambda name: containers.remove(name, force=force, volumes=volumes),
        forgive_missing=force,
    )


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER [CONTAINER...]",
    SOME,
    (
        Option("force", "f", FLAG, "Force the removal of a running container (uses SIGKILL)"),
        Option("volumes", "v", FLAG, "Remove anonymous volumes associated with the container"),
    ),
)
