"""jubako builder history inspect."""

from __future__ import annotations

from jubako.cli.build_records import document, text
from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.formatting import FORMAT_ONE
from jubako.cli.inspection import inspect
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    history = call.builder.history
    refs = arguments.operands or [""]
    if arguments.text("format"):
        return inspect(call, refs, lambda ref: document(*history.get(ref)), arguments.text("format"))
    call.out("\n".join(text(*history.get(ref)) for ref in refs))
    return 0


COMMAND = Command(
    run, "[OPTIONS] [REF...]", ANY, (FORMAT_ONE,), details="Without a REF it is the latest build that is shown."
)
