"""jubako container prune."""

from __future__ import annotations

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.options import FILTER, Arguments, Option
from jubako.cli.pruning import FORCE, confirmed, deleted
from jubako.spec.filters import check_keys

_WARNING = "WARNING! This will remove all stopped containers."


def run(call: Call, arguments: Arguments) -> int:
    wanted = filters(arguments.pairs("filter"))
    check_keys(wanted, ("label",))
    if not confirmed(call, arguments, _WARNING):
        return 0
    sizes = {item["Id"]: item["SizeRw"] for item in call.engine.system.disk_usage()["Containers"]}
    removed = call.engine.containers.prune(wanted)
    freed_bytes = sum(sizes.get(identifier, 0) for identifier in removed)
    call.out(deleted("Containers", removed))
    call.line(f"Total reclaimed space: {humanize.size(freed_bytes)}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("filter", "", FILTER, 'Provide filter values (e.g. "label=<key>=<value>")'),
        FORCE,
    ),
)
