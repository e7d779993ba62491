"""jubako ps."""

from __future__ import annotations

from typing import Any

from jubako.cli import listing
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.each import filters
from jubako.cli.formatting import FORMAT, render
from jubako.cli.options import FILTER, FLAG, INT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    truncate = not arguments.flag("no-trunc")
    last = arguments.number("last") or -1
    limit = last if last > 0 else 1 if arguments.flag("latest") else None
    containers = call.engine.containers
    records = containers.list(
        all=arguments.flag("all") or limit is not None, filters=filters(arguments.pairs("filter"))
    )[:limit]
    if arguments.flag("quiet"):
        if arguments.text("format"):
            call.error("WARNING: Ignoring custom format, because both --format and --quiet are set.")
        call.out("".join(f"{record.short_id if truncate else record.id}\n" for record in records))
        return 0
    documents = [containers.summary(record) for record in records]
    if arguments.flag("size") or _shows_size(arguments.text("format")):
        _add_sizes(call, documents)
    rows = [listing.row(document, truncate=truncate) for document in documents]
    table = listing.TABLE + ("\t{{.Size}}" if arguments.flag("size") else "")
    call.out(render(rows, arguments.text("format"), table, listing.HEADERS))
    return 0


def _shows_size(template: str) -> bool:
    """What containers take is looked up only for who wants to see it."""
    return ".Size" in template or "json ." in template


def _add_sizes(call: Call, documents: list[dict[str, Any]]) -> None:
    """What each container wrote, and that together with its image."""
    written = {item["Id"]: item["SizeRw"] for item in call.engine.system.disk_usage()["Containers"]}
    images = {str(image.id): image.size_bytes for image in call.engine.images.list()}
    for document in documents:
        document["SizeRw"] = written.get(document["Id"], 0)
        document["SizeRootFs"] = document["SizeRw"] + images.get(document["ImageID"], 0)


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("all", "a", FLAG, "Show all containers (default shows just running)"),
        Option("filter", "f", FILTER, "Filter output based on conditions provided"),
        FORMAT,
        Option("last", "n", INT, "Show n last created containers (includes all states)", -1),
        Option("latest", "l", FLAG, "Show the latest created container (includes all states)"),
        Option("no-trunc", "", FLAG, "Don't truncate output"),
        Option("quiet", "q", FLAG, "Only display container IDs"),
        Option("size", "s", FLAG, "Display total file sizes"),
    ),
)
