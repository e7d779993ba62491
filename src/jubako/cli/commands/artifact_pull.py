"""jubako artifact pull."""

from __future__ import annotations

from pathlib import Path

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.options import FLAG, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.reporting import shown

    quiet = arguments.flag("quiet")
    with shown(call, call.streams.stdout, quiet=quiet) as progress:
        target, names = call.engine.registries.pull_artifact(
            arguments.operands[0],
            Path(arguments.text("output") or "."),
            overwrite=not arguments.flag("keep"),
            progress=progress,
        )
    for name in names:
        call.line(name)
    if not quiet:
        call.line(f"Digest: {target.digest}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] NAME[:TAG|@DIGEST]",
    ONE,
    (
        Option("keep", "k", FLAG, "Do not replace files that are there"),
        Option("output", "o", TEXT, "The directory to write to, instead of the present one"),
        Option("quiet", "q", FLAG, "Only print the names of the files"),
    ),
)
