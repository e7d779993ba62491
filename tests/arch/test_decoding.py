"""msgspec is given a type only through spec.decoding, where one thread at a time does so."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src/jubako"
ITS_PLACE = SOURCE / "spec/decoding.py"


def unguarded(tree: ast.AST) -> list[int]:
    """The lines that make a decoder of msgspec's, or call a function of its with a type that is not `known`."""
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and gives_a_type(node)]


def gives_a_type(call: ast.Call) -> bool:
    function = ast.unparse(call.func)
    if not function.startswith("msgspec."):
        return False
    place = {"convert": 1, "decode": 2, "Decoder": 0}.get(function.rpartition(".")[2])
    if place is None:
        return False
    types = [keyword.value for keyword in call.keywords if keyword.arg == "type"] + call.args[place : place + 1]
    return any(not ast.unparse(each).startswith("decoding.known(") for each in types)


def test_every_type_is_known_before_msgspec_decodes_it() -> None:
    found = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if path != ITS_PLACE and (lines := unguarded(ast.parse(path.read_bytes())))
    }
    assert not found


def test_what_would_be_unguarded_is_seen() -> None:
    text = """
msgspec.json.decode(data, type=T)
msgspec.json.Decoder(T)
msgspec.convert(value, T)
msgspec.toml.decode(data, type=T)
msgspec.json.decode(data)
msgspec.convert(value, decoding.known(T))
"""
    assert unguarded(ast.parse(text)) == [2, 3, 4, 5]
    assert unguarded(ast.parse(ITS_PLACE.read_bytes()))
