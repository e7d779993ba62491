"""jubako volume prune."""

from __future__ import annotations

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.options import FILTER, FLAG, Arguments, Option
from jubako.cli.pruning import FORCE, confirmed, deleted
from jubako.spec.filters import boolean, check_keys, passes_labels


def run(call: Call, arguments: Arguments) -> int:
    wanted = filters(arguments.pairs("filter"))
    check_keys(wanted, ("all", "label", "label!"))
    all_ = arguments.flag("all") or bool(boolean(wanted, "all"))
    kind = "all local volumes" if all_ else "anonymous local volumes"
    warning = f"WARNING! This will remove {kind} not used by at least one container."
    if not confirmed(call, arguments, warning):
        return 0
    names, freed_bytes = call.engine.volumes.prune(all=all_, accept=lambda volume: passes_labels(volume.labels, wanted))
    call.out(deleted("Volumes", names))
    call.line(f"Total reclaimed space: {humanize.size(freed_bytes)}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("all", "a", FLAG, "Remove all unused volumes, not just anonymous ones"),
        Option("filter", "", FILTER, 'Provide filter values (e.g. "label=<label>")'),
        FORCE,
    ),
)
