"""jubako push."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.commands.pull import names_version
from jubako.cli.options import FLAG, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.reporting import shown
    from jubako.image import reference

    text = arguments.operands[0]
    wanted = reference.parse(text)
    quiet = arguments.flag("quiet")
    if not quiet:
        if not names_version(text):
            call.line("Using default tag: latest")
        call.line(f"The push refers to repository [{wanted.name}]")
    with shown(call, call.streams.stdout, quiet=quiet) as progress:
        pushed = call.engine.images.push(text, progress=progress)
    call.line(str(wanted) if quiet else f"{wanted.tag}: digest: {pushed.digest} size: {pushed.size}")
    return 0


COMMAND = Command(run, "[OPTIONS] NAME[:TAG]", ONE, (Option("quiet", "q", FLAG, "Suppress verbose output"),))
