"""jubako system df."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.formatting import FORMAT, Row, render
from jubako.cli.options import Arguments

HEADERS = {
    "Type": "TYPE",
    "TotalCount": "TOTAL",
    "Active": "ACTIVE",
    "Size": "SIZE",
    "Reclaimable": "RECLAIMABLE",
}
TABLE = "{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}"
Item = Mapping[str, Any]


def run(call: Call, arguments: Arguments) -> int:
    usage = call.builder.system.disk_usage()
    # What images share is theirs.
    steps = [
        {"Size": 0 if record.shared else record.size_bytes, "InUse": record.in_use}
        for record in call.builder.build_cache()
    ]
    rows = [
        _row("Images", usage["Images"], _is_used, usage["LayersSize"], usage["LayersReclaimable"]),
        _summed("Containers", usage["Containers"], lambda item: item["SizeRw"], _runs),
        _summed("Local Volumes", usage["Volumes"], lambda item: item["UsageData"]["Size"], _is_mounted),
        _summed("Build Cache", steps, lambda item: item["Size"], _is_used),
    ]
    call.out(render(rows, arguments.text("format"), TABLE, HEADERS))
    return 0


def _is_used(item: Item) -> bool:
    return bool(item["InUse"])


def _runs(item: Item) -> bool:
    return str(item["State"]) in ("running", "paused", "restarting")


def _is_mounted(item: Item) -> bool:
    return bool(item["UsageData"]["RefCount"])


def _summed(kind: str, items: Sequence[Item], size: Callable[[Item], int], used: Callable[[Item], bool]) -> Row:
    total = sum(size(item) for item in items)
    free = sum(size(item) for item in items if not used(item))
    return _row(kind, items, used, total, free)


def _row(kind: str, items: Sequence[Item], used: Callable[[Item], bool], total: int, free: int) -> Row:
    share = f" ({free * 100 // total}%)" if total else ""
    return Row(
        {
            "Active": str(sum(used(item) for item in items)),
            "Reclaimable": humanize.size(free) + share,
            "Size": humanize.size(total),
            "TotalCount": str(len(items)),
            "Type": kind,
        }
    )


COMMAND = Command(run, "[OPTIONS]", NONE, (FORMAT,))
