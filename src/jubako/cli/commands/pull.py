"""jubako pull."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.options import FLAG, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.image import reference

    text = arguments.operands[0]
    if arguments.flag("all-tags"):
        name = reference.parse(text).familiar_name()
        for tag in call.engine.registries.tags(text):
            _one(call, arguments, f"{name}:{tag}")
        return 0
    _one(call, arguments, text)
    return 0


def _one(call: Call, arguments: Arguments, text: str) -> None:
    from jubako.cli.reporting import shown
    from jubako.image import reference

    wanted = reference.parse(text)
    quiet = arguments.flag("quiet")
    if not quiet and not reference.names_version(text):
        call.line("Using default tag: latest")
    before = _present(call, text)
    with shown(call, call.streams.stdout, quiet=quiet) as progress:
        image = call.engine.images.pull(
            text,
            platform=arguments.optional("platform"),
            all_platforms=arguments.flag("all-platforms"),
            progress=progress,
        )
    if not quiet:
        call.line(f"Digest: {image.target.digest}")
        news = "Image is up to date for" if before == image.id else "Downloaded newer image for"
        call.line(f"Status: {news} {wanted.familiar()}")
    call.line(str(wanted))


def _present(call: Call, text: str) -> str | None:
    from jubako.errors import NotFound

    try:
        return call.engine.images.get(text).id
    except NotFound:
        return None


COMMAND = Command(
    run,
    "[OPTIONS] NAME[:TAG|@DIGEST]",
    ONE,
    (
        Option("all-platforms", "", FLAG, "Keep what the image has for other platforms as well, to push or save it"),
        Option("all-tags", "a", FLAG, "Download all tagged images in the repository"),
        Option("platform", "", TEXT, "Set platform if the image has more than one"),
        Option("quiet", "q", FLAG, "Suppress verbose output"),
    ),
)
