"""jubako builder history logs."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import AT_MOST_ONE, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    history = call.builder.history
    ref, _ = history.get(arguments.operands[0] if arguments.operands else "")
    with history.log_path(ref).open() as log:
        for line in log:
            call.out(line)
    return 0


COMMAND = Command(run, "[REF]", AT_MOST_ONE, details="Without a REF it is the latest build whose log is printed.")
