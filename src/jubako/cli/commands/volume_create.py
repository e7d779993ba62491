"""jubako volume create."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import AT_MOST_ONE, Command
from jubako.cli.envfile import labels
from jubako.cli.failure import Exit
from jubako.cli.options import LIST, TEXT, Arguments, Option
from jubako.errors import InvalidArgument


def run(call: Call, arguments: Arguments) -> int:
    name = arguments.operands[0] if arguments.operands else None
    if name and arguments.text("name"):
        raise Exit(1, "conflicting options: cannot specify a volume-name through both --name and as a positional arg")
    if arguments.text("driver") != "local":
        raise InvalidArgument(f'plugin "{arguments.text("driver")}" not found')
    volume = call.engine.volumes.create(name or arguments.optional("name"), labels((), arguments.texts("label")))
    call.line(volume.name)
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] [VOLUME]",
    AT_MOST_ONE,
    (
        Option("driver", "d", TEXT, "Specify volume driver name", "local"),
        Option("label", "", LIST, "Set metadata for a volume"),
        Option("name", "", TEXT, "Specify volume name", hidden=True),
    ),
)
