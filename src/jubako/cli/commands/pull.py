"""jubako pull."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.options import FLAG, TEXT, Arguments, Option


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.reporting import shown
    from jubako.image import reference

    text = arguments.operands[0]
    wanted = reference.parse(text)
    quiet = arguments.flag("quiet")
    if not quiet and not names_version(text):
        call.line("Using default tag: latest")
    before = _present(call, text)
    with shown(call, call.streams.stdout, quiet=quiet) as progress:
        image = call.engine.images.pull(text, platform=arguments.optional("platform"), progress=progress)
    if not quiet:
        call.line(f"Digest: {image.target.digest}")
        news = "Image is up to date for" if before == image.id else "Downloaded newer image for"
        call.line(f"Status: {news} {wanted.familiar()}")
    call.line(str(wanted))
    return 0


def names_version(text: str) -> bool:
    """Whether the name says which tag or digest it wants."""
    return ":" in text.rpartition("/")[2] or "@" in text


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
        Option("platform", "", TEXT, "Set platform if the image has more than one"),
        Option("quiet", "q", FLAG, "Suppress verbose output"),
    ),
)
