"""jubako network prune."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.options import Arguments
from jubako.cli.pruning import FORCE, UNTIL, confirmed, deleted, limits
from jubako.spec.filters import check_keys, passes_labels

_WARNING = "WARNING! This will remove all custom networks not used by at least one container."


def run(call: Call, arguments: Arguments) -> int:
    wanted = filters(arguments.pairs("filter"))
    check_keys(wanted, ("label", "label!", "until"))
    before = limits(wanted)
    if not confirmed(call, arguments, _WARNING):
        return 0
    removed = call.engine.networks.prune(
        lambda network: passes_labels(network.labels, wanted) and all(network.created_ns < moment for moment in before)
    )
    call.out(deleted("Networks", removed))
    return 0


COMMAND = Command(run, "[OPTIONS]", NONE, (UNTIL, FORCE))
