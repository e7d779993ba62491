"""jubako container prune."""

from __future__ import annotations

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.options import FILTER, FLAG, Arguments, Option
from jubako.errors import InvalidArgument

_WARNING = "WARNING! This will remove all stopped containers."


def run(call: Call, arguments: Arguments) -> int:
    wanted = filters(arguments.pairs("filter"))
    for key in wanted:
        if key != "label":
            raise InvalidArgument(f"invalid filter '{key}'")
    if not arguments.flag("force") and not call.ask(f"{_WARNING}\nAre you sure you want to continue?"):
        return 0
    sizes = {item["Id"]: item["SizeRw"] for item in call.engine.system.disk_usage()["Containers"]}
    removed = call.engine.containers.prune(wanted)
    freed_bytes = sum(sizes.get(identifier, 0) for identifier in removed)
    if removed:
        call.out("Deleted Containers:\n" + "".join(f"{identifier}\n" for identifier in removed) + "\n")
    call.line(f"Total reclaimed space: {humanize.size(freed_bytes)}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("filter", "", FILTER, 'Provide filter values (e.g. "label=<key>=<value>")'),
        Option("force", "f", FLAG, "Do not prompt for confirmation"),
    ),
)
