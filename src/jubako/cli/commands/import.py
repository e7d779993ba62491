"""jubako import."""

from __future__ import annotations

from typing import BinaryIO

from jubako.cli.call import Call
from jubako.cli.command import ONE_OR_TWO, Command
from jubako.cli.failure import Exit
from jubako.cli.options import LIST, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.build.changes import change

    path = arguments.operands[0]
    name = arguments.operands[1] if len(arguments.operands) > 1 else None
    with _opened(call, path) as source:
        image = call.engine.images.import_archive(
            source,
            name,
            message=arguments.text("message"),
            edit=lambda config: change(config, arguments.texts("change")),
            platform=arguments.optional("platform"),
        )
    call.line(image.id)
    return 0


def _opened(call: Call, path: str) -> BinaryIO:
    if path.startswith(("http://", "https://")):
        raise Exit(1, f"{path}: only files and STDIN can be imported; download it first")
    if path == "-":
        return open(call.streams.stdin, "rb", closefd=False)
    try:
        return open(path, "rb")
    except OSError as error:
        raise Exit(1, f"open {path}: {(error.strerror or '').lower()}") from None


COMMAND = Command(
    run,
    "[OPTIONS] file|- [REPOSITORY[:TAG]]",
    ONE_OR_TWO,
    (
        Option("change", "c", LIST, "Apply a Dockerfile instruction to the created image"),
        Option("message", "m", TEXT, "Set commit message for imported image"),
        Option("platform", "", TEXT, "Set platform if the image is not for this machine"),
    ),
)
