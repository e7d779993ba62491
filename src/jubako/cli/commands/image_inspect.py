"""jubako image inspect."""

from __future__ import annotations

from functools import partial

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.formatting import FORMAT_ONE
from jubako.cli.inspection import inspect
from jubako.cli.options import TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    lookup = partial(call.engine.images.inspect, platform=arguments.optional("platform"))
    return inspect(call, arguments.operands, lookup, arguments.text("format"))


PLATFORM = Option("platform", "", TEXT, "Inspect the image for this platform")
COMMAND = Command(run, "[OPTIONS] IMAGE [IMAGE...]", SOME, (FORMAT_ONE, PLATFORM))
