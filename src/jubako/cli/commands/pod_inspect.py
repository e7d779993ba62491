"""jubako pod inspect."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.formatting import FORMAT_ONE
from jubako.cli.inspection import inspect
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    return inspect(call, arguments.operands, call.engine.pods.inspect, arguments.text("format"))


COMMAND = Command(run, "[OPTIONS] POD [POD...]", SOME, (FORMAT_ONE,))
