"""jubako builder du."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.failure import Exit
from jubako.cli.options import FLAG, LIST, Arguments, Option
from jubako.cli.texttable import align
from jubako.cli.times import rfc3339_nano

if TYPE_CHECKING:
    from jubako.build.cacheusage import CacheRecord

_HEADER = "ID\tRECLAIMABLE\tSIZE\tLAST ACCESSED"


def run(call: Call, arguments: Arguments) -> int:
    from jubako.build.cacheprune import matching

    filters, unused_for_ns = given_filters(arguments)
    records = matching(call.builder.build_cache(), filters, unused_for_ns)
    if arguments.flag("verbose"):
        call.out("".join(_verbose(record) + "\n" for record in records))
    elif records:
        call.out(align([_HEADER, *map(_row, records)]))
    call.out(_summary(records))
    return 0


def given_filters(arguments: Arguments) -> tuple[dict[str, str], int | None]:
    """The filters by name; and apart from them the age that `until` or `unused-for` asks for, in nanoseconds."""
    from jubako.build.gcpolicy import parse_filters

    try:
        return parse_filters(arguments.texts("filter"))
    except ValueError as error:
        raise Exit(1, f"invalid filter: {error}") from None


def _row(record: CacheRecord) -> str:
    age = humanize.duration((time.time_ns() - record.used_ns) / 1e9)
    return f"{record.id}\t{str(not record.in_use).lower()}\t{humanize.size(record.size_bytes)}\t{age} ago"


def _verbose(record: CacheRecord) -> str:
    from jubako.build.cacheusage import MOUNT

    facts = {
        "ID": record.id,
        "Created at": rfc3339_nano(record.created_ns),
        "Mutable": str(record.type == MOUNT).lower(),
        "Reclaimable": str(not record.in_use).lower(),
        "Shared": str(record.shared).lower(),
        "Size": humanize.size(record.size_bytes),
        "Description": record.description,
        "Last used": rfc3339_nano(record.used_ns),
        "Type": record.type,
    }
    return align([f"{name}:\t{value}" for name, value in facts.items()])


def _summary(records: list[CacheRecord]) -> str:
    shared = sum(record.size_bytes for record in records if record.shared)
    total = sum(record.size_bytes for record in records)
    busy = sum(record.size_bytes for record in records if record.in_use and not record.shared)
    lines = [f"Shared:\t{humanize.size(shared)}", f"Private:\t{humanize.size(total - shared)}"] if shared else []
    return align([*lines, f"Reclaimable:\t{humanize.size(total - shared - busy)}", f"Total:\t{humanize.size(total)}"])


COMMAND = Command(
    run,
    "[OPTIONS]",
    NONE,
    (
        Option("filter", "", LIST, "Provide filter values"),
        Option("verbose", "", FLAG, "Provide a more verbose output"),
    ),
)
