"""jubako save."""

from __future__ import annotations

from typing import Literal

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.failure import Exit
from jubako.cli.options import TEXT, Arguments, Option
from jubako.cli.output_file import OutputFile


def run(call: Call, arguments: Arguments) -> int:
    path = arguments.text("output")
    names = arguments.operands
    kind, platform = _kind(arguments.text("format")), arguments.optional("platform")
    if path:
        with OutputFile(path, "save image") as out:
            call.engine.images.save(names, out, format=kind, platform=platform)
        return 0
    if call.is_terminal(call.streams.stdout):
        raise Exit(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect")
    with open(call.streams.stdout, "wb", closefd=False) as out:
        call.engine.images.save(names, out, format=kind, platform=platform)
    return 0


def _kind(text: str) -> Literal["docker-archive", "oci-archive"]:
    if text == "docker-archive":
        return "docker-archive"
    if text == "oci-archive":
        return "oci-archive"
    raise Exit(1, f'unknown format "{text}": must be one of "docker-archive", "oci-archive"')


COMMAND = Command(
    run,
    "[OPTIONS] IMAGE [IMAGE...]",
    SOME,
    (
        Option("format", "", TEXT, "Kind of archive: docker-archive or oci-archive", "docker-archive"),
        Option("output", "o", TEXT, "Write to a file, instead of STDOUT"),
        Option("platform", "", TEXT, "Save only the image for this platform"),
    ),
)
