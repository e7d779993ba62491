"""jubako container prune."""

from __future__ import annotations

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.options import Arguments
from jubako.cli.pruning import FORCE, UNTIL, confirmed, deleted, passing

_WARNING = "WARNING! This will remove all stopped containers."


def run(call: Call, arguments: Arguments) -> int:
    accept = passing(filters(arguments.pairs("filter")))
    if not confirmed(call, arguments, _WARNING):
        return 0
    sizes = {item["Id"]: item["SizeRw"] for item in call.engine.system.disk_usage()["Containers"]}
    removed = call.engine.containers.prune(accept)
    freed_bytes = sum(sizes.get(identifier, 0) for identifier in removed)
    call.out(deleted("Containers", removed))
    call.line(f"Total reclaimed space: {humanize.size(freed_bytes)}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        UNTIL,
        FORCE,
    ),
)
