"""jubako image tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.cli import humanize
from jubako.cli.call import Call
from jubako.cli.command import ONE, Command
from jubako.cli.listing import short
from jubako.cli.options import FLAG, Arguments, Option

if TYPE_CHECKING:
    from jubako.image.catalog import Image


def run(call: Call, arguments: Arguments) -> int:
    image = call.engine.images.get(arguments.operands[0])
    call.line(f"Image ID: {short(image.id)}")
    call.line(f"Tags:     [{' '.join(image.repo_tags)}]")
    call.line(f"Size:     {humanize.size(image.size_bytes)}")
    others = call.engine.images.list()
    if arguments.flag("whatrequires"):
        call.line("Required by")
        call.out(_drawn([_name(other) for other in others if _is_upon(other, image)]))
        return 0
    call.line("Image Layers")
    call.out(_drawn(_layers(image, others)))
    return 0


def _layers(image: Image, others: list[Image]) -> list[str]:
    """A line for each layer, lowest first, with the images that end with it."""
    lines = []
    for count, layer in enumerate(image.manifest.layers, 1):
        below = image.diff_ids[:count]
        tops = [tag for other in others if other.diff_ids == below for tag in other.repo_tags]
        top = f" Top Layer of: [{' '.join(tops)}]" if tops else ""
        lines.append(f"ID: {short(below[-1])} Size: {humanize.size(layer.size):>7}{top}")
    return lines


def _is_upon(other: Image, image: Image) -> bool:
    """Whether `other` has all layers of `image`, and more."""
    count = len(image.diff_ids)
    return len(other.diff_ids) > count and other.diff_ids[:count] == image.diff_ids


def _name(image: Image) -> str:
    return f"ID: {short(image.id)} Tags: [{' '.join(image.repo_tags)}]"


def _drawn(lines: list[str]) -> str:
    return "".join(f"{'└──' if line is lines[-1] else '├──'} {line}\n" for line in lines)


COMMAND = Command(
    run,
    "[OPTIONS] IMAGE",
    ONE,
    (Option("whatrequires", "", FLAG, "Show the images that are made upon this one instead of its layers"),),
)
