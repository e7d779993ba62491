"""jubako builder prune."""

from __future__ import annotations

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import FLAG, Arguments, Option

_UNSHARED = "WARNING! This will remove all dangling build cache."
_ALL = "WARNING! This will remove all build cache."


def run(call: Call, arguments: Arguments) -> int:
    all_ = arguments.flag("all")
    warning = _ALL if all_ else _UNSHARED
    if not arguments.flag("force") and not call.ask(f"{warning}\nAre you sure you want to continue?"):
        return 0
    steps, freed_bytes = call.builder.prune_builds(all=all_)
    if steps:
        call.out("Deleted build cache objects:\n" + "".join(f"{step}\n" for step in steps) + "\n")
    call.line(f"Total:\t{humanize.size(freed_bytes)}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("all", "a", FLAG, "Remove all unused build cache, not just dangling ones"),
        Option("force", "f", FLAG, "Do not prompt for confirmation"),
    ),
)
