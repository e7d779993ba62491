"""jubako pod prune."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import Arguments
from jubako.cli.pruning import FORCE, confirmed

_WARNING = "WARNING! This will remove all stopped/exited pods."


def run(call: Call, arguments: Arguments) -> int:
    if confirmed(call, arguments, _WARNING):
        call.out("".join(f"{identifier}\n" for identifier in call.engine.pods.prune()))
    return 0


COMMAND = Command(run, "[OPTIONS]", NONE, (FORCE,))
