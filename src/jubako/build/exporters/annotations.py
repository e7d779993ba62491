"""Annotations of what is exported: on which document they go, and for which platforms.

`--annotation [TYPE[,TYPE…]:]KEY=VALUE` with TYPE one of manifest, index, manifest-descriptor and index-descriptor, each
with `[PLATFORM]` if meant for one; and `annotation[-TYPE][[PLATFORM]].KEY=VALUE` as an attribute of an output.
Spec: buildx, "--annotation"; BuildKit, docs/annotations.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from jubako.errors import InvalidArgument
from jubako.image import platform as platforms
from jubako.spec.oci_image import Platform

_TYPES = ("manifest", "index", "manifest-descriptor", "index-descriptor")
_TYPE = r"(manifest-descriptor|index-descriptor|manifest|index)(?:\[([A-Za-z0-9_/-]+)\])?"
_PREFIX = re.compile(rf"{_TYPE}(?:,{_TYPE})*:")
_ATTRIBUTE = re.compile(r"annotation(?:-([a-z-]+))?(?:\[([A-Za-z0-9_/-]+)\])?\.(.+)")


class Annotation(msgspec.Struct, frozen=True):
    """`platform` None means every one."""

    type: str
    key: str
    value: str
    platform: Platform | None = None


def parse_flag(text: str) -> list[Annotation]:
    """The value of `--annotation`. Raises InvalidArgument."""
    match = _PREFIX.match(text)
    key, equals, value = text[match.end() if match else 0 :].partition("=")
    if not equals or not key:
        raise InvalidArgument(f'invalid annotation "{text}", expected key=value')
    kinds = re.findall(_TYPE, match.group()) if match else [("manifest", "")]
    return [Annotation(kind, key, value, platforms.parse_given(platform)) for kind, platform in kinds]


def parse_annotation(attribute: str, value: str) -> Annotation:
    """An `annotation…` attribute of an output. Raises InvalidArgument."""
    match = _ATTRIBUTE.fullmatch(attribute)
    if not match or (match[1] or "manifest") not in _TYPES:
        raise InvalidArgument(f'invalid annotation key "{attribute}"', hint="write annotation[-TYPE][[PLATFORM]].KEY")
    return Annotation(match[1] or "manifest", match[3], value, platforms.parse_given(match[2]))


def chosen(annotations: Iterable[Annotation], kind: str, platform: Platform | None = None) -> dict[str, str]:
    """What goes on a document of `kind` for `platform`, sorted by key."""
    wanted = {
        each.key: each.value
        for each in annotations
        if each.type == kind
        and (
            each.platform is None
            or (platform is not None and platforms.text(each.platform) == platforms.text(platform))
        )
    }
    return dict(sorted(wanted.items()))
