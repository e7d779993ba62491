"""jubako image unmount."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.each import each
from jubako.cli.options import FLAG, Arguments, Option
from jubako.errors import InvalidArgument


def run(call: Call, arguments: Arguments) -> int:
    images = call.engine.images
    names = list(images.mounts()) if arguments.flag("all") else arguments.operands
    if not names and not arguments.flag("all"):
        raise InvalidArgument("name an image, or use --all")
    return each(call, names, lambda name: images.unmount(name, force=arguments.flag("force")))


COMMAND = Command(
    run,
    "[OPTIONS] [IMAGE...]",
    ANY,
    (
        Option("all", "a", FLAG, "Unmount all images"),
        Option("force", "f", FLAG, "Also what somebody still has open"),
    ),
)
