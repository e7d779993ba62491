"""jubako artifact referrers."""

from __future__ import annotations

from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.formatting import FORMAT, Row, render
from jubako.cli.options import TEXT, Arguments, Option

HEADERS = {"ArtifactType": "TYPE", "Digest": "DIGEST", "Size": "SIZE", "MediaType": "MEDIA TYPE"}
TABLE = "{{.ArtifactType}}\t{{.Digest}}"


def run(call: Call, arguments: Arguments) -> int:
    _, found = call.engine.registries.referrers(arguments.operands[0], arguments.text("artifact-type"))
    rows = [
        Row(
            {
                "Annotations": entry.annotations or {},
                "ArtifactType": entry.artifact_type or "",
                "Digest": entry.digest,
                "MediaType": entry.media_type,
                "Size": entry.size,
            }
        )
        for entry in found
    ]
    call.out(render(rows, arguments.text("format"), TABLE, HEADERS))
    return 0


COMMAND = Command(
    run,
    "[OPTIONS] NAME[:TAG|@DIGEST]",
    ONE,
    (Option("artifact-type", "", TEXT, "Only those of this type"), FORMAT),
)
