"""jubako image mount."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.cli.call import Call
from jubako.cli.command import ANY, Command
from jubako.cli.each import each
from jubako.cli.formatting import FORMAT, Row, render
from jubako.cli.options import FLAG, Arguments, Option
from jubako.errors import NotFound

if TYPE_CHECKING:
    from pathlib import Path

HEADERS = {"ID": "IMAGE ID", "Repositories": "REPOSITORIES", "Path": "MOUNT POINT"}
TABLE = "{{.ID}}\t{{.Repositories}}\t{{.Path}}"


def run(call: Call, arguments: Arguments) -> int:
    images = call.engine.images
    names = [image.id for image in images.list()] if arguments.flag("all") else arguments.operands
    if not names:
        rows = [_row(call, image_id, path) for image_id, path in images.mounts().items()]
        call.out(render(rows, arguments.text("format"), TABLE, HEADERS))
        return 0
    return each(call, names, lambda name: call.line(str(images.mount(name))), echo=False)


def _row(call: Call, image_id: str, path: Path) -> Row:
    from jubako.cli.listing import short

    try:
        tags = call.engine.images.get(image_id).repo_tags
    except NotFound:
        tags = []
    return Row({"ID": short(image_id), "Path": str(path), "Repositories": ", ".join(tags) or "<none>"})


COMMAND = Command(
    run,
    "[OPTIONS] [IMAGE...]",
    ANY,
    (Option("all", "a", FLAG, "Mount all images"), FORMAT),
    details="Mounts images read-only on this host and prints where. Without images it lists what is mounted.",
)
