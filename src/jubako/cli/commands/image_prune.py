"""jubako image prune."""

from __future__ import annotations

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.options import FLAG, Arguments, Option
from jubako.cli.pruning import FORCE, UNTIL, confirmed, deleted

_DANGLING = "WARNING! This will remove all dangling images."
_UNUSED = "WARNING! This will remove all images without at least one container associated to them."


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.image_listing import prunable

    all_ = arguments.flag("all")
    accept = prunable(filters(arguments.pairs("filter")))
    warning = _UNUSED if all_ else _DANGLING
    if not confirmed(call, arguments, warning):
        return 0
    removed, freed_bytes = call.engine.images.prune(all=all_, accept=accept)
    call.out(deleted("Images", image_lines(removed)))
    call.line(f"Total reclaimed space: {humanize.size(freed_bytes)}")
    return 0


def image_lines(removed: list[dict[str, str]]) -> list[str]:
    """`untagged: NAME` and `deleted: ID`."""
    return [f"{what.lower()}: {which}" for item in removed for what, which in item.items()]


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("all", "a", FLAG, "Remove all unused images, not just dangling ones"),
        UNTIL,
        FORCE,
    ),
)
