"""Objects from files, directories and standard input: YAML of many documents, or JSON.

Invariant: nothing is fetched from elsewhere: a URL is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from jubako.cluster.types.decoding import yamltext
from jubako.cluster.types.document import JSON, Object, mapping, objects
from jubako.errors import InvalidArgument

_SUFFIXES = (".json", ".yaml", ".yml")
_STDIN = "STDIN"


class Manifest(msgspec.Struct, frozen=True):
    """One object, and the file that it stands in."""

    document: Object
    source: str


def read(names: Sequence[str], stdin: bytes | None, *, recursive: bool) -> list[Manifest]:
    """Return all objects in order; `stdin` is what - stands for. Raises InvalidArgument."""
    found: list[Manifest] = []
    for name in names:
        if name == "-":
            found += _objects(stdin or b"", _STDIN)
            continue
        if name.startswith(("http://", "https://")):
            raise InvalidArgument(
                f"{name}: manifests are not fetched from URLs; download the file and look at it first"
            )
        for path in _files(Path(name), recursive=recursive):
            found += _objects(_read(path), str(path))
    if not found:
        raise InvalidArgument("no objects passed to apply")
    return found


def _files(path: Path, *, recursive: bool) -> list[Path]:
    if not path.exists():
        raise InvalidArgument(f'the path "{path}" does not exist')
    if not path.is_dir():
        return [path]
    below = path.rglob("*") if recursive else path.iterdir()
    found = sorted(each for each in below if each.suffix in _SUFFIXES and each.is_file())
    if not found:
        raise InvalidArgument(f"error reading [{path}]: recognized file extensions are [.json .yaml .yml]")
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidArgument(f"error reading [{path}]: {error.strerror}") from None


def _objects(data: bytes, source: str) -> Iterator[Manifest]:
    for value in _values(data, source):
        if value is None:
            continue
        document = mapping(value)
        for field in ("apiVersion", "kind"):
            if not isinstance(document.get(field), str) or not document[field]:
                raise InvalidArgument(
                    f'error validating "{source}": error validating data: {field} not set; '
                    "if you choose to ignore these errors, turn validation off with --validate=false"
                )
        inner = objects(document.get("items")) if str(document["kind"]).endswith("List") else [document]
        yield from (Manifest(each, source) for each in inner)


def _values(data: bytes, source: str) -> list[JSON]:
    try:
        return yamltext.parse_all(data)
    except InvalidArgument as error:
        raise InvalidArgument(f"error parsing {source}: error converting YAML to JSON: {error.message}") from None
