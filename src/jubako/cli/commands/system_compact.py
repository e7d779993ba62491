"""jubako system compact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import FLAG, Arguments, Option

if TYPE_CHECKING:
    from jubako.snapshot.compact import Compacted


def run(call: Call, arguments: Arguments) -> int:
    from jubako.image.progress import short

    def report(done: Compacted) -> None:
        if done.kept:
            what = f"stays: {done.kept}"
        elif done.freed_bytes:
            now_bytes = done.size_bytes - done.freed_bytes
            what = f"takes {humanize.size(now_bytes)} instead of {humanize.size(done.size_bytes)}"
        else:
            what = f"is a file of {humanize.size(done.size_bytes)} again"
        call.line(f"{short(done.digest)}: {what}")

    if arguments.flag("undo"):
        call.line(f"Total space taken: {humanize.size(call.engine.system.compact_undo(report))}")
        return 0
    freed_bytes = call.engine.system.compact(report, dry_run=arguments.flag("dry-run"))
    words = "Total space that would be reclaimed" if arguments.flag("dry-run") else "Total reclaimed space"
    call.line(f"{words}: {humanize.size(freed_bytes)}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("dry-run", "", FLAG, "Only tell what could be freed"),
        Option("undo", "", FLAG, "Make the compressed blobs again, as before an upgrade"),
    ),
    details=(
        "The compressed form of a layer is dropped where it was made from the unpacked one once more, bit for bit.\n"
        "Push, save and the like make it again while they read it, and check its digest."
    ),
)
