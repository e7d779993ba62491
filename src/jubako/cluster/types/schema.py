"""The table of facts, read: messages and their fields, each package on its first use.

Form of a file: a line at the margin opens a message, an indented line is a field of it:

    NAME NUMBER TYPE [!][+] [patch=STRATEGY[,STRATEGY][:KEY]] [list=TYPE[:KEY,KEY]] [map=atomic] [default=JSON]

NAME      in JSON; ~NAME: a message whose fields stand among those of its parent in JSON, apart in protobuf
NUMBER    in protobuf; 0: the field is not in protobuf (apiVersion and kind are in the envelope)
TYPE      *X: X may be absent, and then is not the same as zero; []X; map:X (keys are strings); a scalar; string:NAME, a
          string of a named set; a message of the same file or PACKAGE.NAME of another
!         JSON has the field even when it is empty; +: clients must give it

Messages are parsed when they are asked for, so a package costs little until it is used.
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from typing import Literal, get_args

import msgspec

from jubako.cluster.types import factfile
from jubako.cluster.types.document import JSON

Scalar = Literal["string", "bool", "int32", "int64", "uint32", "byte", "double", "bytes", "any"]
Special = Literal["Quantity", "IntOrString", "Time", "MicroTime", "RawExtension", "FieldsV1", "Strings"]
SCALARS = frozenset((*get_args(Scalar), *get_args(Special)))


class Field(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One field. `type` is a scalar or the full name of a message; `shape` says how often it stands there."""

    name: str
    number: int
    type: str
    shape: Literal["one", "list", "map"] = "one"
    pointer: bool = False
    inline: bool = False
    always: bool = False
    required: bool = False
    values: str = ""
    patch: tuple[str, ...] = ()
    merge_key: str = ""
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    map_type: str = ""
    default: JSON = None

    @cached_property
    def message(self) -> Message | None:
        return None if self.type in SCALARS else message(self.type)


class Message(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A message; `name` is PACKAGE.NAME, as in "core/v1.Pod"."""

    name: str
    fields: tuple[Field, ...]
    map_type: str = ""

    @cached_property
    def by_number(self) -> dict[int, Field]:
        return {field.number: field for field in self.fields if field.number}

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields as JSON has them: those of inlined messages stand among them."""
        found: dict[str, Field] = {}
        for field in self.fields:
            if field.inline and field.message:
                found.update(field.message.by_name)
            else:
                found[field.name] = field
        return found

    @property
    def go_name(self) -> str:
        """The name as Go's decoder reports it: v1.Pod."""
        return self.name.rpartition("/")[2]

    @property
    def local_name(self) -> str:
        return self.name.rpartition(".")[2]


@cache
def message(name: str) -> Message:
    """Return a message by its full name; KeyError where the table has none."""
    package = name.rpartition(".")[0]
    head, *lines = _blocks(package)[name].split("\n")
    options = dict(word.split("=", 1) for word in head.split()[1:])
    fields = tuple(_field(package, line) for line in lines)
    return Message(name=name, fields=fields, map_type=options.get("map", ""))


@cache
def _blocks(package: str) -> dict[str, str]:
    """Return the text of each message of a package, heads included."""
    if not re.fullmatch(r"[a-z0-9/]+", package):
        raise KeyError(package)
    blocks = re.split(r"\n(?=\S)", factfile.read(package.replace("/", "_")).strip("\n"))
    return {f"{package}.{block.split(None, 1)[0]}": block.replace("\n ", "\n") for block in blocks}


def _field(package: str, line: str) -> Field:
    line, _, default = line.partition(" default=")
    name, number, spelled, *words = line.split(" ")
    options = dict(word.split("=", 1) for word in words if "=" in word)
    marks = next((word for word in words if word in ("!", "+", "!+")), "")
    patch, _, merge_key = options.get("patch", "").partition(":")
    list_type, _, keys = options.get("list", "").partition(":")
    shape, pointer, base = _shape(spelled)
    kind, _, values = base.partition(":")
    return Field(
        name=name.removeprefix("~"),
        number=int(number),
        type=kind if kind in SCALARS or "." in kind else f"{package}.{kind}",
        shape=shape,
        pointer=pointer,
        inline=name.startswith("~"),
        always=marks.startswith("!"),
        required=marks.endswith("+"),
        values=values,
        patch=tuple(filter(None, patch.split(","))),
        merge_key=merge_key,
        list_type=list_type,
        list_keys=tuple(filter(None, keys.split(","))),
        map_type=options.get("map", ""),
        default=msgspec.json.decode(default) if default else None,
    )


def _shape(spelled: str) -> tuple[Literal["one", "list", "map"], bool, str]:
    if spelled.startswith("[]"):
        return "list", False, spelled[2:].removeprefix("*")
    if spelled.startswith("map:"):
        return "map", False, spelled[4:].removeprefix("*")
    return "one", spelled.startswith("*"), spelled.removeprefix("*")
