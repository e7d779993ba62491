"""jubako export."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.failure import Exit
from jubako.cli.options import TEXT, Arguments, Option
from jubako.cli.output_file import OutputFile


def run(call: Call, arguments: Arguments) -> int:
    path, name = arguments.text("output"), arguments.operands[0]
    if path:
        with OutputFile(path, "export container") as out:
            call.engine.containers.export(name, out)
        return 0
    if call.is_terminal(call.streams.stdout):
        raise Exit(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect")
    with open(call.streams.stdout, "wb", closefd=False) as out:
        call.engine.containers.export(name, out)
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER",
    ONE,
    (Option("output", "o", TEXT, "Write to a file, instead of STDOUT"),),
)
