"""jubako pod prune."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import FLAG, Arguments, Option

_WARNING = "WARNING! This will remove all stopped/exited pods."


def run(call: Call, arguments: Arguments) -> int:
    if arguments.flag("force") or call.ask(f"{_WARNING}\nAre you sure you want to continue?"):
        call.out("".join(f"{identifier}\n" for identifier in call.engine.pods.prune()))
    return 0


COMMAND = Command(run, "[OPTIONS]", NONE, (Option("force", "f", FLAG, "Do not prompt for confirmation"),))
