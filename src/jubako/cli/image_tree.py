"""`images --tree`: every image with what it is for each platform, in docker's columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jubako.cli import humanize
from jubako.cli.image_listing import names_of
from jubako.cli.listing import short

if TYPE_CHECKING:
    from jubako.engine.images import EngineImages
    from jubako.engine.imagetree import Variant
    from jubako.image.catalog import Image

_Row = tuple[str, ...]
_HEADERS: _Row = ("IMAGE", "ID", "DISK USAGE", "CONTENT SIZE", "EXTRA")


def tree(engine: EngineImages, images: Sequence[Image], patterns: Sequence[str], *, all: bool) -> str:
    """The whole text; images without a name only with `all`."""
    found = [(image, names_of(image, patterns)) for image in images]
    shown = [(image, names or ["<untagged>"]) for image, names in found if names or (all and not image.names)]
    groups = [list(_rows(image, names, engine.variants(image))) for image, names in shown]
    width = max(len(row[0]) for rows in [[_HEADERS], *groups] for row in rows)
    header = f"{_line(_HEADERS, width)}\n"
    return header + "\n".join("".join(f"{_line(row, width)}\n" for row in rows) for rows in groups)


def _rows(image: Image, names: Sequence[str], variants: Sequence[Variant]) -> Iterator[_Row]:
    for name in names[:-1]:
        yield (name,)
    total, content = (sum(getattr(one, field) for one in variants) for field in ("total_bytes", "content_bytes"))
    yield (names[-1], short(image.id), *_sizes(total, content), _extra(any(one.in_use for one in variants)))
    for one in variants:
        branch = "└─" if one is variants[-1] else "├─"
        sizes = _sizes(one.total_bytes, one.content_bytes)
        yield (f"{branch} {one.platform}", short(one.digest), *sizes, _extra(one.in_use))


def _sizes(total: int, content: int) -> tuple[str, str]:
    return humanize.size(total, 3), humanize.size(content, 3)


def _extra(in_use: bool) -> str:
    return "U" if in_use else ""


def _line(row: _Row, width: int) -> str:
    if len(row) == 1:
        return row[0]
    name, identifier, disk, content, extra = row
    return f"{name:<{width}}   {identifier:<12}   {disk:>10}   {content:>12}   {extra}".rstrip()
