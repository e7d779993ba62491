"""What a template is made of: paths, which are lists of nodes."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Literal(msgspec.Struct, frozen=True):
    value: str | int | float | bool


class Field(msgspec.Struct, frozen=True):
    """`name` is empty for what is looked at itself."""

    name: str


class Slice(msgspec.Struct, frozen=True):
    """`single` is an index: nothing there is an error."""

    start: int | None
    end: int | None
    step: int | None
    single: bool = False


class Wildcard(msgspec.Struct, frozen=True):
    pass


class Recursive(msgspec.Struct, frozen=True):
    pass


class Root(msgspec.Struct, frozen=True):
    pass


class Union(msgspec.Struct, frozen=True):
    branches: tuple[Path, ...]


class Filter(msgspec.Struct, frozen=True):
    left: Path
    operator: str
    right: Path


class Range(msgspec.Struct, frozen=True):
    over: Path
    body: tuple[Path, ...]


Node: TypeAlias = Literal | Field | Slice | Wildcard | Recursive | Root | Union | Filter | Range
Path: TypeAlias = tuple[Node, ...]
