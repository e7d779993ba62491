"""jubako artifact push."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.command import SOME, Command
from jubako.cli.options import FLAG, MAP, TEXT, Arguments, Option

if TYPE_CHECKING:
    from jubako.registry.client.artifact import File


def run(call: Call, arguments: Arguments) -> int:
    from jubako.cli.reporting import shown

    name, *files = arguments.operands
    quiet = arguments.flag("quiet")
    with shown(call, call.streams.stdout, quiet=quiet) as progress:
        pushed = call.engine.registries.push_artifact(
            name,
            [_file(text) for text in files],
            artifact_type=arguments.text("artifact-type"),
            annotations=dict(arguments.pairs("annotation")),
            subject=arguments.text("subject"),
            progress=progress,
        )
    call.line(pushed.digest if quiet else f"Digest: {pushed.digest}")
    return 0


def _file(text: str) -> File:
    """PATH[:MEDIA-TYPE]; a path may have colons, a media type has a slash and no further colon."""
    from jubako.registry.client.artifact import File

    path, colon, media_type = text.rpartition(":")
    if colon and "/" in media_type and not Path(text).exists():
        return File(Path(path), media_type)
    return File(Path(text))


COMMAND = Command(
    run,
    "[OPTIONS] NAME[:TAG] [PATH[:MEDIA-TYPE] ...]",
    SOME,
    (
        Option("annotation", "", MAP, "Set an annotation of the artifact"),
        Option("artifact-type", "", TEXT, "Set the type of the artifact"),
        Option("quiet", "q", FLAG, "Only print the digest"),
        Option("subject", "", TEXT, "The tag or digest, in the same repository, that the artifact is about"),
    ),
    details="A directory goes as a compressed archive, and is one again when it is pulled.",
    examples=(
        "artifact push registry.example/models/digits:1 model.bin:application/octet-stream labels.json",
        "artifact push registry.example/app:1-sbom sbom.json --subject 1 --artifact-type application/spdx+json",
    ),
)
