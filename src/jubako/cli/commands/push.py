"""jubako push."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.options import FLAG, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.image import reference

    text = arguments.operands[0]
    wanted = reference.parse(text)
    quiet = arguments.flag("quiet")
    names = _tagged(call, text) if arguments.flag("all-tags") else [text]
    if not quiet:
        if not reference.names_version(text) and not arguments.flag("all-tags"):
            call.line("Using default tag: latest")
        call.line(f"The push refers to repository [{wanted.name}]")
    for name in names:
        _one(call, name, arguments.optional("platform"), quiet=quiet)
    return 0


def _one(call: Call, text: str, platform: str | None, *, quiet: bool) -> None:
    from jubako.cli.reporting import shown
    from jubako.image import reference

    wanted = reference.parse(text)
    with shown(call, call.streams.stdout, quiet=quiet) as progress:
        pushed = call.engine.images.push(text, platform=platform, progress=progress)
    call.line(str(wanted) if quiet else f"{wanted.tag}: digest: {pushed.digest} size: {pushed.size}")


def _tagged(call: Call, text: str) -> list[str]:
    """Every name that an image here has in the repository."""
    from jubako.errors import InvalidArgument, NotFound
    from jubako.image import reference

    if reference.names_version(text):
        raise InvalidArgument("tag can't be used with --all-tags/-a")
    wanted = reference.parse(text).name
    parsed = [reference.parse(name) for image in call.engine.images.list() for name in image.names]
    found = sorted(str(name) for name in parsed if name.name == wanted and name.tag)
    if not found:
        raise NotFound(
            "image",
            text,
            message=f"An image does not exist locally with the tag: {reference.parse(text).familiar_name()}",
        )
    return found


COMMAND = Command(
    run,
    "[OPTIONS] NAME[:TAG]",
    ONE,
    (
        Option("all-tags", "a", FLAG, "Push all tags of an image to the repository"),
        Option("platform", "", TEXT, "Push only the image for this platform"),
        Option("quiet", "q", FLAG, "Suppress verbose output"),
    ),
)
