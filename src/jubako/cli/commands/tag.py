"""jubako tag."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import TWO, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    source, target = arguments.operands
    call.engine.images.tag(source, target)
    return 0


COMMAND = Command(run, "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", TWO)
