"""jubako builder history rm."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.each import each
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    history = call.builder.history
    if arguments.flag("all") == bool(arguments.operands):
        raise Exit(1, "name the builds to remove, or give --all")
    refs = arguments.operands or [ref for ref, record in history.list() if record.status != "Running"]
    return each(call, refs, lambda ref: history.remove(history.get(ref)[0]))


COMMAND = Command(
    run, "[OPTIONS] [REF...]", ANY, (Option("all", "", FLAG, "Remove all build records but those of running builds"),)
)
