"""jubako builder prune."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.commands.builder_du import given_filters
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, LIST, TEXT, Arguments, Option
from jubako.cli.pruning import FORCE, confirmed, deleted
from jubako.spec.sizes import ram_bytes

if TYPE_CHECKING:
    from jubako.build.cacheprune import PrunePolicy

_UNSHARED = "WARNING! This will remove all dangling build cache."
_ALL = "WARNING! This will remove all build cache."
_SPACES = ("reserved-space", "keep-storage", "max-used-space", "min-free-space")


def run(call: Call, arguments: Arguments) -> int:
    all_ = arguments.flag("all")
    policy = _policy(arguments)
    warning = _ALL if all_ else _UNSHARED
    if not confirmed(call, arguments, warning):
        return 0
    steps, freed_bytes = call.builder.prune_builds(all=all_, policy=policy)
    call.out(deleted("build cache objects", steps))
    call.line(f"Total:\t{humanize.size(freed_bytes)}")
    return 0


def _policy(arguments: Arguments) -> PrunePolicy | None:
    """What the options ask for; None when they ask for everything."""
    from jubako.build.cacheprune import PrunePolicy

    filters, unused_for_ns = given_filters(arguments)
    spaces = {name: _space(arguments.text(name), name) for name in _SPACES if arguments.given(name)}
    if not filters and unused_for_ns is None and not spaces:
        return None
    return PrunePolicy(
        all=arguments.flag("all"),
        filters=filters,
        unused_for_ns=unused_for_ns,
        reserved_bytes=spaces.get("reserved-space", spaces.get("keep-storage", 0)),
        max_used_bytes=spaces.get("max-used-space", 0),
        min_free_bytes=spaces.get("min-free-space", 0),
    )


def _space(text: str, name: str) -> int:
    try:
        return ram_bytes(text)
    except ValueError as error:
        raise Exit(1, f'invalid argument "{text}" for "--{name}" flag: {error}') from None


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("all", "a", FLAG, "Remove all unused build cache, not just dangling ones"),
        Option("filter", "", LIST, 'Provide filter values (e.g. "until=24h")'),
        FORCE,
        Option("keep-storage", "", TEXT, "Amount of disk space to keep for cache"),
        Option("max-used-space", "", TEXT, "Maximum amount of disk space allowed to keep for cache"),
        Option("min-free-space", "", TEXT, "Target amount of free disk space after pruning"),
        Option("reserved-space", "", TEXT, "Amount of disk space always allowed to keep for cache"),
    ),
)
