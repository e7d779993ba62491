"""jubako top."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.options import Arguments
from jubako.cli.texttable import align


def run(call: Call, arguments: Arguments) -> int:
    name, *options = arguments.operands
    found = call.engine.containers.top(name, " ".join(options)) if options else call.engine.containers.top(name)
    rows = [found["Titles"], *found["Processes"]]
    call.out(align(["\t".join(row) for row in rows], minimum=20, padding=3))
    return 0


COMMAND = Command(run, "CONTAINER [ps OPTIONS]", SOME, interspersed=False)
