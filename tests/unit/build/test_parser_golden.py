"""The parser against files whose instructions were checked by hand. JUBAKO_UPDATE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from jubako.build.dockerfile.instructions import Instruction, KeyValue
from jubako.build.dockerfile.parser import parse
from jubako.build.dockerfile.source import Position, Source, Text

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path.stem for path in GOLDEN.glob("*.Dockerfile"))


def plain(value: object) -> object:
    match value:
        case Text():
            position = value.position()
            return f"{value.value} @{position.line}:{position.column}"
        case Position():
            return f"{value.line}:{value.column}"
        case KeyValue():
            return [plain(value.key), plain(value.value)]
        case Source():
            return value.name
        case list():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case msgspec.Struct():
            fields = {name: plain(getattr(value, name)) for name in value.__struct_fields__}
            kind = {"instruction": type(value).__name__} if isinstance(value, Instruction) else {}
            return kind | fields
        case _:
            return value


@pytest.mark.parametrize("name", FILES)
def test_parses_as_recorded(name: str) -> None:
    dockerfile = parse((GOLDEN / f"{name}.Dockerfile").read_bytes(), f"{name}.Dockerfile")
    text = msgspec.json.format(msgspec.json.encode(plain(dockerfile)), indent=1).decode() + "\n"
    expected = GOLDEN / f"{name}.golden.json"
    if os.environ.get("JUBAKO_UPDATE_GOLDEN"):
        expected.write_text(text)
    assert text == expected.read_text()
