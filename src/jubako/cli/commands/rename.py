"""jubako rename."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import TWO, Command
from jubako.cli.failure import Exit
from jubako.cli.options import Arguments
from jubako.errors import JubakoError


def run(call: Call, arguments: Arguments) -> int:
    old, new = arguments.operands
    if not old or not new:
        raise Exit(1, "Error: Neither old nor new names may be empty")
    try:
        call.engine.containers.rename(old, new)
    except JubakoError as error:
        raise Exit(1, f"Error: {error.message}\nError: failed to rename container named {old}") from None
    return 0


COMMAND = Command(run, "CONTAINER NEW_NAME", TWO)
