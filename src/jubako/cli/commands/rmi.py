"""jubako rmi."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.each import each
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    force, prune = arguments.flag("force"), not arguments.flag("no-prune")

    def remove(name: str) -> None:
        removed = call.engine.images.remove(name, force=force, prune=prune)
        call.out("".join(f"{what}: {which}\n" for item in removed for what, which in item.items()))

    return each(call, arguments.operands, remove, echo=False, forgive_missing=force)


COMMAND = Command(
    run,
    "[OPTIONS] IMAGE [IMAGE...]",
    SOME,
    (
        Option("force", "f", FLAG, "Force removal of the image"),
        Option("no-prune", "", FLAG, "Do not delete untagged parents"),
    ),
)
