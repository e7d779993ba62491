"""jubako history."""

from __future__ import annotations

import time
from typing import Any

from jubako.cli import humanize, times
from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.formatting import FORMAT, Row, render
from jubako.cli.listing import ellipsis, short
from jubako.cli.options import FLAG, TEXT, Arguments, Option

HEADERS = {
    "ID": "IMAGE",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "CreatedBy": "CREATED BY",
    "Size": "SIZE",
    "Comment": "COMMENT",
}
TABLE = "{{.ID}}\t{{.%s}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"


def run(call: Call, arguments: Arguments) -> int:
    truncate = not arguments.flag("no-trunc")
    entries = call.engine.images.history(arguments.operands[0], platform=arguments.optional("platform"))
    rows = [_row(entry, truncate=truncate, human=arguments.flag("human")) for entry in entries]
    if arguments.flag("quiet"):
        call.out("".join(f"{row['ID']}\n" for row in rows))
        return 0
    table = TABLE % ("CreatedSince" if arguments.flag("human") else "CreatedAt")
    call.out(render(rows, arguments.text("format"), table, HEADERS))
    return 0


def _row(entry: dict[str, Any], *, truncate: bool, human: bool) -> Row:
    known = not times.is_zero(entry["Created"])
    seconds = times.parse_rfc3339(entry["Created"]) / 1e9 if known else 0.0
    made_by = entry["CreatedBy"].replace("\t", " ")
    ago = humanize.duration(time.time() - seconds) + " ago" if known else "N/A"
    return Row(
        {
            "Comment": entry["Comment"],
            "CreatedAt": entry["Created"] if known else "N/A",
            "CreatedBy": ellipsis(made_by, 45) if truncate else made_by,
            "CreatedSince": ago if human else entry["Created"],
            "ID": short(entry["Id"]) if truncate and entry["Id"] != "<missing>" else entry["Id"],
            "Size": humanize.size(entry["Size"], 3) if human else str(entry["Size"]),
        }
    )


COMMAND = Command(
    run,
    "[OPTIONS] IMAGE",
    ONE,
    (
        FORMAT,
        Option("human", "H", FLAG, "Print sizes and dates in human readable format", True),
        Option("no-trunc", "", FLAG, "Don't truncate output"),
        Option("platform", "", TEXT, "Show the history for this platform"),
        Option("quiet", "q", FLAG, "Only show image IDs"),
    ),
)
