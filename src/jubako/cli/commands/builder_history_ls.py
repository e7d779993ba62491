"""jubako builder history ls."""

from __future__ import annotations

from jubako.cli.build_records import HEADERS, TABLE, row
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.formatting import FORMAT, render
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    found = [row(ref, record) for ref, record in call.builder.history.list()]
    if arguments.flag("quiet"):
        call.out("".join(f"{each['Ref']}\n" for each in found))
        return 0
    call.out(render(found, arguments.text("format"), TABLE, HEADERS))
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (FORMAT, Option("quiet", "q", FLAG, "Only display build IDs")),
)
