"""jubako commit."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE_OR_TWO, Command
from jubako.cli.options import FLAG, LIST, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.build.changes import change

    name = arguments.operands[1] if len(arguments.operands) > 1 else None
    image = call.engine.images.commit(
        arguments.operands[0],
        name,
        author=arguments.text("author"),
        message=arguments.text("message"),
        edit=lambda config: change(config, arguments.texts("change")),
        pause=arguments.flag("pause") if arguments.given("pause") else None,
    )
    call.line(image.id)
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    ONE_OR_TWO,
    (
        Option("author", "a", TEXT, 'Author (e.g., "NAME <ADDRESS>")'),
        Option("change", "c", LIST, "Apply a Dockerfile instruction to the created image"),
        Option("message", "m", TEXT, "Commit message"),
        Option("pause", "p", FLAG, "Pause the container during commit", True),
    ),
)
