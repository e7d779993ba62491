"""fmt's print family, as templates use it."""

from __future__ import annotations

import json
import re

from jubako.cli.gotemplate.values import show, type_name

_VERB = re.compile(r"%([-+# 0]*)(\*|\d+)?(?:\.(\d+))?([a-zA-Z%])")


def print_(*values: object) -> str:
    """Print with a space between operands when neither is a string."""
    text = ""
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            text += " "
        text += show(value)
    return text


def println(*values: object) -> str:
    return " ".join(map(show, values)) + "\n"


def printf(template: str, *values: object) -> str:
    rest = list(values)

    def verb(match: re.Match[str]) -> str:
        flags, width, precision, letter = match.groups()
        if letter == "%":
            return "%"
        if width == "*":
            width = show(rest.pop(0)) if rest else "0"
        if not rest:
            return f"%!{letter}(MISSING)"
        return _padded(_one(letter, flags, precision, rest.pop(0)), flags, int(width or 0), letter)

    text = _VERB.sub(verb, template)
    if rest:
        extra = ", ".join(f"{type_name(value)}={show(value)}" for value in rest)
        text += f"%!(EXTRA {extra})"
    return text


def _one(letter: str, flags: str, precision: str | None, value: object) -> str:
    match letter, value:
        case "v", float() if precision is not None:
            return format(value, f".{precision}g")
        case (("v" | "s"), str()) if precision is not None:
            return value[: int(precision)]
        case "v", _:
            return show(value)
        case "s", str() | list() | dict():
            return show(value)
        case "q", str():
            return json.dumps(value, ensure_ascii=False)
        case "q", list():
            return "[" + " ".join(json.dumps(show(item), ensure_ascii=False) for item in value) + "]"
        case "t", bool():
            return show(value)
        case (("d" | "x" | "X" | "o" | "b" | "c"), int()) if not isinstance(value, bool):
            return format(value, ("+" if "+" in flags and letter == "d" else "") + letter)
        case (("x" | "X"), str()):
            return format(int.from_bytes(value.encode()), f"0{2 * len(value.encode())}{letter}") if value else ""
        case (("f" | "e" | "g" | "F" | "E" | "G"), float()):
            digits = f".{precision}" if precision is not None else ""
            return format(value, f"{digits}{letter}") if digits or letter != "g" else show(value)
        case "T", _:
            return type_name(value)
    return f"%!{letter}({type_name(value)}={show(value)})"


def _padded(text: str, flags: str, width: int, letter: str) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and letter in "dxXobfeg":
        return text.zfill(width)
    return text.rjust(width)
