"""jubako cluster reset."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.cluster import NAME, place_of
from jubako.cli.command import NONE, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cluster import life

    place = place_of(call, arguments)
    life.reset(place)
    call.line(f"Cluster {place.name} is no more")
    return 0


COMMAND = Command(run, "[OPTIONS]", NONE, (NAME,))
