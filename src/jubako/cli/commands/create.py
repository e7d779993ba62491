"""jubako create."""

from __future__ import annotations

from jubako.cli import container_options
from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.creation import create
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    call.line(create(call, arguments, container_options.attached(arguments)).id)
    return 0


COMMAND = Command(run, "[OPTIONS] IMAGE [COMMAND] [ARG...]", SOME, container_options.OPTIONS, interspersed=False)
