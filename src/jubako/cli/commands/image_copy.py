"""jubako image copy."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import TWO, Command
from jubako.cli.options import FLAG, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.reporting import shown

    source, target = arguments.operands
    quiet = arguments.flag("quiet")
    with shown(call, call.streams.stdout, quiet=quiet) as progress:
        copied = call.engine.registries.copy(
            source,
            target,
            platform=arguments.optional("platform"),
            with_referrers=arguments.flag("referrers"),
            progress=progress,
        )
    call.line(copied.digest if quiet else f"Digest: {copied.digest}")
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] SOURCE[:TAG|@DIGEST] TARGET[:TAG]",
    TWO,
    (
        Option("platform", "", TEXT, "Copy only the image for this platform"),
        Option("quiet", "q", FLAG, "Only print the digest"),
        Option("referrers", "r", FLAG, "Copy signatures and other artifacts that refer to the image as well"),
    ),
    details="Nothing is stored or unpacked here: what the target lacks streams from one registry to the other.",
)
