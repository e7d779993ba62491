"""jubako stats."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.formatting import FORMAT, Row, render
from jubako.cli.options import FLAG, Arguments, Option
from jubako.errors import NotFound

if TYPE_CHECKING:
    from jubako.engine.stats import Sample

HEADERS = {
    "Container": "CONTAINER",
    "ID": "CONTAINER ID",
    "Name": "NAME",
    "CPUPerc": "CPU %",
    "MemUsage": "MEM USAGE / LIMIT",
    "MemPerc": "MEM %",
    "NetIO": "NET I/O",
    "BlockIO": "BLOCK I/O",
    "PIDs": "PIDS",
}
TABLE = "{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"
_FIRST_S, _PERIOD_S = 0.2, 1.0
_HOME, _CLEAR = "\033[H", "\033[J"


def run(call: Call, arguments: Arguments) -> int:
    if arguments.flag("no-stream"):
        call.out(_screen(call, arguments, _samples(call, arguments), _FIRST_S))
        return 0
    before = _samples(call, arguments)
    terminal = call.is_terminal(call.streams.stdout)
    period_s = _FIRST_S
    while True:
        screen = _screen(call, arguments, before, period_s)
        call.out(f"{_HOME}{_CLEAR}{screen}" if terminal else screen)
        before, period_s = _samples(call, arguments), _PERIOD_S


def _screen(call: Call, arguments: Arguments, before: dict[str, Sample], period_s: float) -> str:
    """One picture: the rates are those of the next `period_s` seconds."""
    time.sleep(period_s if before else 0)
    now = _samples(call, arguments) if before else {}
    truncate = not arguments.flag("no-trunc")
    rows = [row(name, before[name], sample, truncate=truncate) for name, sample in now.items() if name in before]
    return render(rows, arguments.text("format"), TABLE, HEADERS)


def _samples(call: Call, arguments: Arguments) -> dict[str, Sample]:
    """A reading for each name that was given, else for each container that runs (with -a, for all)."""
    containers = call.engine.containers
    if arguments.operands:
        return {name: containers.stats(name) for name in arguments.operands}
    found: dict[str, Sample] = {}
    for record in containers.list(all=arguments.flag("all")):
        try:
            found[record.id] = containers.stats(record.id)
        except NotFound:
            continue
    return found


def row(name: str, before: Sample, now: Sample, *, truncate: bool = True) -> Row:
    """The texts of one container's line."""
    limit = now.memory_limit_bytes
    return Row(
        {
            "BlockIO": f"{humanize.size(now.read_bytes, 3)} / {humanize.size(now.written_bytes, 3)}",
            "CPUPerc": f"{now.cpu_percent(before):.2f}%",
            "Container": name[:12] if truncate and name == now.id else name,
            "ID": now.id[:12] if truncate else now.id,
            "MemPerc": f"{now.memory_bytes / limit * 100 if limit else 0:.2f}%",
            "MemUsage": f"{humanize.binary_size(now.memory_bytes)} / {humanize.binary_size(limit)}",
            "Name": now.name,
            "NetIO": f"{humanize.size(now.received_bytes, 3)} / {humanize.size(now.sent_bytes, 3)}",
            "PIDs": str(now.pids),
        }
    )


COMMAND = Command(
    run,
    "[OPTIONS] [CONTAINER...]",
    ANY,
    (
        Option("all", "a", FLAG, "Show all containers (default shows just running)"),
        FORMAT,
        Option("no-stream", "", FLAG, "Disable streaming stats and only pull the first result"),
        Option("no-trunc", "", FLAG, "Do not truncate output"),
    ),
)
