"""jubako network prune."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.options import Arguments
from jubako.cli.pruning import FORCE, UNTIL, confirmed, deleted, passing

_WARNING = "WARNING! This will remove all custom networks not used by at least one container."


def run(call: Call, arguments: Arguments) -> int:
    accept = passing(filters(arguments.pairs("filter")))
    if not confirmed(call, arguments, _WARNING):
        return 0
    call.out(deleted("Networks", call.engine.networks.prune(accept)))
    return 0


COMMAND = Command(run, "[OPTIONS]", NONE, (UNTIL, FORCE))
