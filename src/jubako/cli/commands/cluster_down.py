"""jubako cluster down."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.cluster import NAME, place_of
from jubako.cli.command import NONE, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cluster import life

    place = place_of(call, arguments)
    stopped = life.down(place)
    call.line(f"Cluster {place.name} is down" if stopped else f"Cluster {place.name} was not running")
    return 0


COMMAND = Command(run, "[OPTIONS]", NONE, (NAME,))
