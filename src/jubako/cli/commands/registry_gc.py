"""jubako registry gc."""

from __future__ import annotations

from pathlib import Path

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import DURATION, FLAG, TEXT, Arguments, Option, UsageError

_HOUR_NS = 3_600_000_000_000


def run(call: Call, arguments: Arguments) -> int:
    root, file = arguments.text("root"), arguments.text("config")
    if bool(root) == bool(file):
        raise UsageError("where are the registry's images? Name a directory with --root, or a --config", 1)
    from jubako.registry.server import configured, load
    from jubako.registry.server.collect import collect

    configuration = load(Path(file)) if file else configured(Path(root))
    grace_ns = arguments.number("grace")
    grace_s = (_HOUR_NS if grace_ns is None else grace_ns) / 1e9
    untagged = arguments.flag("delete-untagged")
    done = collect(configuration.root, storage=configuration.storage, grace_s=grace_s, untagged=untagged)
    call.line(f"Deleted: {done.manifests} manifests, {done.blobs} blobs, {done.uploads} unfinished uploads")
    call.line(f"Total reclaimed space: {humanize.size(done.freed_bytes)}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("config", "", TEXT, "Configuration file of the registry, instead of --root"),
        Option("delete-untagged", "", FLAG, "Delete manifests that no tag leads to, too"),
        Option("grace", "", DURATION, "Spare what was pushed or asked for within this time (1h unless given)"),
        Option("root", "", TEXT, "Directory of the registry's images"),
    ),
    details="The server may run meanwhile. Whatever a push has touched within the grace stays.",
)
