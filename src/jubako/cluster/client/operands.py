"""What the words of a command line mean: TYPE, TYPE,TYPE, TYPE NAME…, TYPE/NAME….

Spec: k8s.io/cli-runtime/pkg/resource, "Builder".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.cluster.client.discovery import Discovery, Type
from jubako.errors import InvalidArgument


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One request: a type, and one object of it or all (`name` is empty)."""

    type: Type
    name: str = ""


class Operands(msgspec.Struct, frozen=True, kw_only=True):
    """`by_name` says that single objects were named, `slashed` that they stand as TYPE/NAME."""

    wanted: tuple[Wanted, ...]
    by_name: bool
    slashed: bool = False

    @property
    def single(self) -> bool:
        """Whether one object at most can come of it."""
        return self.by_name and len(self.wanted) == 1


def read(words: Sequence[str], discovery: Discovery, *, everything: bool = True, selected: bool = False) -> Operands:
    """Return what operands mean. Raises InvalidArgument, NotFound.

    `everything` says that a type alone means all of it, `selected` that a selector is given.
    """
    if any("/" in word for word in words):
        return _slashed(words, discovery)
    types = _types(words[0], discovery)
    names = tuple(dict.fromkeys(words[1:]))
    if names and selected:
        raise InvalidArgument("name cannot be provided when a selector is specified")
    if names:
        wanted = tuple(Wanted(type=each, name=name) for each in types for name in names)
        return Operands(wanted=wanted, by_name=True)
    if not everything:
        raise InvalidArgument("resource(s) were provided, but no name was specified")
    return Operands(wanted=tuple(Wanted(type=each) for each in types), by_name=False)


def _types(word: str, discovery: Discovery) -> list[Type]:
    found: list[Type] = []
    for name in word.split(","):
        of_category = discovery.category(name)
        found += of_category or ([discovery.named(name)] if name else [])
    return list(dict.fromkeys(found))


def _slashed(words: Sequence[str], discovery: Discovery) -> Operands:
    wanted = []
    for word in words:
        kind, slash, name = word.partition("/")
        if not slash:
            raise InvalidArgument(
                "there is no need to specify a resource type as a separate argument when passing arguments in "
                "resource/name form (e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource "
                "resource/<resource_name>'"
            )
        if "/" in name or "," in kind or not kind or not name:
            form = "arguments in resource/name form may not have more than one slash"
            empty = "arguments in resource/name form must have a single resource and name"
            raise InvalidArgument(form if "/" in name else empty)
        wanted.append(Wanted(type=discovery.named(kind), name=name))
    return Operands(wanted=tuple(dict.fromkeys(wanted)), by_name=True, slashed=True)
