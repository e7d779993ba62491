"""Which files a bake reads, and each of them as definitions: HCL, JSON or compose, by name or by what they hold."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from jubako.build.bake.compose import compose_block
from jubako.build.bake.definitions import Definitions
from jubako.build.bake.expressions import Expression
from jubako.build.bake.syntax import Block, parse, parse_template
from jubako.build.bake.values import BakeError
from jubako.errors import NotFound

DEFAULTS = (
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
)
_LIMIT = 4 << 20


def read_files(names: Sequence[str], directory: Path, environ: Mapping[str, str]) -> Definitions:
    """All files laid over one another; without names the usual ones that are in `directory`. "-" is standard input."""
    chosen = list(names) or [name for name in DEFAULTS if (directory / name).is_file()]
    if not chosen:
        raise NotFound("bake file", str(directory), message="couldn't find a bake definition")
    definitions = Definitions()
    for name in chosen:
        definitions.add(_block(name, _text(name, directory), environ), name)
    return definitions


def _text(name: str, directory: Path) -> str:
    try:
        if name == "-":
            return _bounded(sys.stdin, name)
        with (directory / name).open(encoding="utf-8-sig") as file:
            return _bounded(file, name)
    except OSError as error:
        message = f"couldn't read the bake file {name}: {(error.strerror or '').lower()}"
        raise NotFound("bake file", name, message=message) from error
    except UnicodeDecodeError as error:
        raise BakeError(f"{name} is not text in UTF-8") from error


def _bounded(file: TextIO, name: str) -> str:
    text = file.read(_LIMIT + 1)
    if len(text) > _LIMIT:
        raise BakeError(f"{name} is longer than {_LIMIT} characters")
    return text


def _block(name: str, text: str, environ: Mapping[str, str]) -> Block:
    if name.endswith((".yaml", ".yml")):
        return compose_block(text, name, environ)
    if name.endswith(".json") or (not name.endswith(".hcl") and text.lstrip().startswith("{")):
        return _json_block(text, name)
    return parse(text, name)


def _json_block(text: str, name: str) -> Block:
    """HCL's JSON form: a property for each type of block, with the blocks by label."""
    try:
        return _document(json.loads(text))
    except BakeError as problem:
        raise BakeError(f"{name}: {problem.message}") from None
    except (ValueError, RecursionError) as error:
        raise BakeError(f"{name}: {error}") from None


def _document(document: object) -> Block:
    if not isinstance(document, dict):
        raise BakeError("an object is needed")
    file = Block("", [], {}, [])
    for kind, members in document.items():
        if kind in ("target", "group", "variable", "function") and isinstance(members, dict):
            file.blocks += [_labelled(kind, label, body) for label, body in members.items()]
        else:
            file.attributes[kind] = _expression(members)
    return file


def _labelled(kind: str, label: str, body: object) -> Block:
    if not isinstance(body, dict):
        raise BakeError(f"{kind} {label} is not an object")
    return Block(kind, [label], {key: _expression(value) for key, value in body.items()}, [])


def _expression(value: object) -> Expression:
    if isinstance(value, str):
        return parse_template(value)
    if isinstance(value, list):
        items = [_expression(each) for each in value]
        return lambda scope: [item(scope) for item in items]
    if isinstance(value, dict):
        pairs = {str(key): _expression(each) for key, each in value.items()}
        return lambda scope: {key: each(scope) for key, each in pairs.items()}
    assert value is None or isinstance(value, (bool, int, float))
    return lambda scope: value
