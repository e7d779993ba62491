"""Reading a configuration file: YAML, against the schema, with errors that name the key and its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from jubako.errors import InvalidArgument
from jubako.registry.server.config.check import check
from jubako.registry.server.config.schema import Configuration
from jubako.registry.server.config.values import decoder
from jubako.spec import decoding

_PATH = re.compile(r"(?P<message>.*?)(?: - at `(?P<path>\$.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+)\]")
# What only a new start can change.
_FIXED = ("root", "listen", "processes", "storage")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")


def load(path: Path) -> Configuration:
    """Return the checked configuration in `path`; relative paths in it are taken from its directory.

    Raises InvalidArgument, which names the key and the line.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise InvalidArgument(f"cannot read the configuration {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"cannot read the configuration {path}: {error}") from error
    try:
        node = yaml.compose(text, yaml.CSafeLoader)
        _refuse_duplicates(node, path)
        values = yaml.load(text, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise InvalidArgument(f"{path} is not valid YAML: {error}") from error
    try:
        found = msgspec.convert(values, decoding.known(Configuration), dec_hook=decoder(path.absolute().parent))
        check(found)
    except msgspec.ValidationError as error:
        raise InvalidArgument(_explained(str(error), node, path)) from error
    return found


def reload(path: Path, now: Configuration) -> tuple[Configuration, list[str]]:
    """Return what `path` says, but for what only a new start can change, and which of that it wants otherwise."""
    wanted = load(path)
    waiting = [name for name in _FIXED if getattr(wanted, name) != getattr(now, name)]
    return msgspec.structs.replace(wanted, **{name: getattr(now, name) for name in _FIXED}), waiting


def _explained(text: str, node: yaml.Node | None, path: Path) -> str:
    match = _PATH.fullmatch(text)
    message, where = (match["message"], match["path"] or "$") if match else (text, "$")
    names: list[str] = []
    for step in _STEP.finditer(where):
        found = _child(node, step["key"], step["index"])
        if found is None:
            break
        node = found
        names.append(step["key"] if step["key"] else f"[{step['index']}]")
    if unknown := _UNKNOWN.fullmatch(message):
        node = _key(node, unknown[1]) or node
        message = f"there is no such key: {unknown[1]}"
    shown = ".".join(names).replace(".[", "[")
    line = f", line {node.start_mark.line + 1}" if node is not None else ""
    return f"{path}{line}: {f'{shown}: ' if shown else ''}{message}"


def _child(node: yaml.Node | None, key: str | None, index: str | None) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode) and key:
        return next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and index and int(index) < len(node.value):
        found: yaml.Node = node.value[int(index)]
        return found
    return None


def _key(node: yaml.Node | None, name: str) -> yaml.Node | None:
    pairs: list[Any] = node.value if isinstance(node, yaml.MappingNode) else []
    return next((key for key, _ in pairs if key.value == name), None)


def _refuse_duplicates(node: yaml.Node | None, path: Path) -> None:
    """YAML lets the last of two equal keys win in silence."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise InvalidArgument(f"{path}, line {key.start_mark.line + 1}: {key.value} is given twice")
            seen.add(key.value)
            _refuse_duplicates(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item, path)
