"""jubako pod rm."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import FLAG, INT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    force, timeout_s = arguments.flag("force"), arguments.number("time")
    return each(
        call,
        arguments.operands,
        lambda name: call.engine.pods.remove(name, force=force, timeout_s=timeout_s),
        forgive_missing=force or arguments.flag("ignore"),
    )


COMMAND = Command(
    run,
    "[OPTIONS] POD [POD...]",
    SOME,
    (
        Option("force", "f", FLAG, "Also remove pods with running containers"),
        Option("ignore", "i", FLAG, "Ignore errors when a specified pod is missing"),
        Option("time", "t", INT, "Seconds to wait for running containers to stop before killing them"),
    ),
)
