"""`images`: which to show, and a row for every name that an image has."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from jubako.cli import humanize, times
from jubako.cli.formatting import Row
from jubako.cli.listing import short
from jubako.cli.pruning import limits
from jubako.spec.filters import boolean, check_keys, matches_label

if TYPE_CHECKING:
    from jubako.engine.images import EngineImages
    from jubako.image.catalog import Image

HEADERS = {
    "ID": "IMAGE ID",
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Digest": "DIGEST",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
    "SharedSize": "SHARED SIZE",
    "UniqueSize": "UNIQUE SIZE",
    "Containers": "CONTAINERS",
}
_KEYS = ("before", "dangling", "label", "reference", "since")
_NONE = "<none>"


class ImageRow(Row):
    type_name = "*formatter.imageContext"


def table(*, digests: bool) -> str:
    digest = "\t{{.Digest}}" if digests else ""
    return "{{.Repository}}\t{{.Tag}}" + digest + "\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"


def select(images: EngineImages, filters: Mapping[str, Sequence[str]]) -> list[Image]:
    """The images that pass every filter, newest first; raises InvalidArgument for an unknown key."""
    check_keys(filters, _KEYS)
    found = sorted(images.list(), key=created, reverse=True)
    for text in filters.get("before", ()):
        limit = created(images.get(text))
        found = [image for image in found if created(image) < limit]
    for text in filters.get("since", ()):
        limit = created(images.get(text))
        found = [image for image in found if created(image) > limit]
    dangling = boolean(filters, "dangling")
    if dangling is not None:
        found = [image for image in found if (not image.names) == dangling]
    for text in filters.get("label", ()):
        found = [image for image in found if has_label(image, text)]
    return found


def prunable(filters: Mapping[str, Sequence[str]]) -> Callable[[Image], bool]:
    """Whether an image passes the filters of prune; raises InvalidArgument for an unknown key."""
    check_keys(filters, ("label", "label!", "until"))
    before = limits(filters)

    def passes(image: Image) -> bool:
        return (
            all(has_label(image, text) for text in filters.get("label", ()))
            and not any(has_label(image, text) for text in filters.get("label!", ()))
            and all(created(image) * 1e9 < limit for limit in before)
        )

    return passes


def created(image: Image) -> float:
    """Seconds since the epoch; 0 where the image does not say."""
    text = image.config.created or ""
    return 0.0 if times.is_zero(text) else times.parse_rfc3339(text) / 1e9


def has_label(image: Image, text: str) -> bool:
    """Whether the image has the label `key` or `key=value`."""
    return matches_label((image.config.config.labels if image.config.config else None) or {}, text)


def names_of(image: Image, patterns: Sequence[str]) -> list[str]:
    """`repository:tag` of each name that matches one of `patterns`, or of each where there are none."""
    found = [(repository, tag) for repository, tag, _ in _names(image) if tag != _NONE]
    wanted = [(r, t) for r, t in found if not patterns or any(_matches(pattern, r, t) for pattern in patterns)]
    return [f"{repository}:{tag}" for repository, tag in wanted]


def rows(
    images: Sequence[Image], patterns: Sequence[str], *, truncate: bool = True, digests: bool = False
) -> list[ImageRow]:
    """A row for each name; with `patterns`, only for names that match one."""
    found = []
    for image in images:
        for repository, tag, digest in _names(image):
            if not patterns or any(_matches(pattern, repository, tag) for pattern in patterns):
                found.append(_row(image, repository, tag, digest if digests else _NONE, truncate=truncate))
    return found


def _names(image: Image) -> Iterator[tuple[str, str, str]]:
    from jubako.image import reference

    parsed = [reference.parse(name) for name in image.names]
    tagged = [name for name in parsed if name.tag]
    for name in tagged:
        yield name.familiar_name(), str(name.tag), str(image.target.digest)
    for repository in dict.fromkeys(name.familiar_name() for name in parsed if not tagged):
        yield repository, _NONE, str(image.target.digest)
    if not parsed:
        yield _NONE, _NONE, _NONE


def _matches(pattern: str, repository: str, tag: str) -> bool:
    if ":" in pattern.rpartition("/")[2]:
        return fnmatchcase(f"{repository}:{tag}", pattern)
    return fnmatchcase(repository, pattern)


def _row(image: Image, repository: str, tag: str, digest: str, *, truncate: bool) -> ImageRow:
    moment = created(image)
    return ImageRow(
        {
            "Containers": "N/A",
            "CreatedAt": times.shown(moment) if moment else "N/A",
            "CreatedSince": humanize.duration(time.time() - moment) + " ago" if moment else "N/A",
            "Digest": digest,
            "ID": short(image.id) if truncate else str(image.id),
            "Repository": repository,
            "SharedSize": "N/A",
            "Size": humanize.size(image.size_bytes, 3),
            "Tag": tag,
            "UniqueSize": "N/A",
        }
    )
