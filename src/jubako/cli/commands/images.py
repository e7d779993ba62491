"""jubako images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.command import AT_MOST_ONE, Command
from jubako.cli.each import filters
from jubako.cli.failure import Exit
from jubako.cli.formatting import FORMAT, render
from jubako.cli.image_listing import HEADERS, rows, select, table
from jubako.cli.options import FILTER, FLAG, Arguments, Option

if TYPE_CHECKING:
    from jubako.image.catalog import Image


def run(call: Call, arguments: Arguments) -> int:
    wanted = filters(arguments.pairs("filter"))
    if arguments.operands:
        wanted.setdefault("reference", []).append(arguments.operands[0])
    images = select(call.engine.images, wanted)
    if arguments.flag("tree"):
        return _tree(call, arguments, images, wanted.get("reference", []))
    truncate = not arguments.flag("no-trunc")
    found = rows(images, wanted.get("reference", []), truncate=truncate, digests=arguments.flag("digests"))
    if arguments.flag("quiet"):
        call.out("".join(f"{row['ID']}\n" for row in found))
        return 0
    call.out(render(found, arguments.text("format"), table(digests=arguments.flag("digests")), HEADERS))
    return 0


def _tree(call: Call, arguments: Arguments, images: list[Image], patterns: Sequence[str]) -> int:
    from jubako.cli.image_tree import tree

    for name in ("quiet", "no-trunc", "digests", "format"):
        if arguments.given(name):
            raise Exit(1, f"--{name} is not yet supported with --tree")
    call.out(tree(call.engine.images, images, patterns, all=arguments.flag("all")))
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] [REPOSITORY[:TAG]]",
    AT_MOST_ONE,
    (
        Option("all", "a", FLAG, "Show all images (default hides intermediate images)"),
        Option("digests", "", FLAG, "Show digests"),
        Option("filter", "f", FILTER, "Filter output based on conditions provided"),
        FORMAT,
        Option("no-trunc", "", FLAG, "Don't truncate output"),
        Option("quiet", "q", FLAG, "Only show image IDs"),
        Option("tree", "", FLAG, "List images for several platforms as a tree"),
    ),
)
