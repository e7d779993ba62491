"""jubako image bootstrap."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.options import STRINGS, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    image = call.engine.images.bootstrap(
        arguments.operands[0],
        include=arguments.texts("include"),
        mirror=arguments.optional("mirror"),
        tag=arguments.optional("tag"),
    )
    call.line(image.id)
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] NAME",
    ONE,
    (
        Option("include", "", STRINGS, "Packages to add"),
        Option("mirror", "", TEXT, "Where to get the packages (a URL); the host's own mirror otherwise"),
        Option("tag", "t", TEXT, "Name of the image, if it is to be another than NAME"),
    ),
    details="NAME is debian:SUITE, ubuntu:SUITE (each also with -slim), or busybox.",
    examples=(
        "image bootstrap busybox",
        "image bootstrap debian:bookworm-slim --include python3,ca-certificates",
    ),
)
