"""jubako container prune."""

from __future__ import annotations

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.options import Arguments
from jubako.cli.pruning import FORCE, UNTIL, confirmed, deleted, limits
from jubako.spec.filters import check_keys, passes_labels

_WARNING = "WARNING! This will remove all stopped containers."


def run(call: Call, arguments: Arguments) -> int:
    wanted = filters(arguments.pairs("filter"))
    check_keys(wanted, ("label", "label!", "until"))
    before = limits(wanted)
    if not confirmed(call, arguments, _WARNING):
        return 0
    sizes = {item["Id"]: item["SizeRw"] for item in call.engine.system.disk_usage()["Containers"]}
    removed = call.engine.containers.prune(
        lambda record: passes_labels(record.labels, wanted) and all(record.created_ns < moment for moment in before)
    )
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
