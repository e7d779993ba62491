"""jubako diff."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.options import Arguments


def run(call: Call, arguments: Arguments) -> int:
    changes = call.engine.containers.changes(arguments.operands[0])
    call.out("".join(f"{kind} {path}\n" for kind, path in changes))
    return 0


COMMAND = Command(run, "CONTAINER", ONE)
