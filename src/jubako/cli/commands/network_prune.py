"""jubako network prune."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import NONE, Command
from jubako.cli.options import FLAG, Arguments, Option

_WARNING = "WARNING! This will remove all custom networks not used by at least one container."


def run(call: Call, arguments: Arguments) -> int:
    if not arguments.flag("force") and not call.ask(f"{_WARNING}\nAre you sure you want to continue?"):
        return 0
    names = call.engine.networks.prune()
    if names:
        call.out("Deleted Networks:\n" + "".join(f"{name}\n" for name in names) + "\n")
    return 0


COMMAND = Command(run, "[OPTIONS]", NONE, (Option("force", "f", FLAG, "Do not prompt for confirmation"),))
