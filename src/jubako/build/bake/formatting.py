"""HCL's `format`: printf with the verbs that make sense for its values."""

from __future__ import annotations

import json
import re

from jubako.build.bake.values import BakeError, Value, kind_of, number_of, text_of

_VERB = re.compile(r"%([-+ 0#]*)(\d*)(?:\.(\d+))?([a-zA-Z%])")


def formatted(pattern: Value, *arguments: Value) -> Value:
    """Raises BakeError for a verb that is not known, and for too few or too many arguments."""
    left = list(arguments)

    def replace(match: re.Match[str]) -> str:
        if match[4] == "%":
            return "%"
        if not left:
            raise BakeError(f"not enough arguments for {match.group()}")
        return _one(match, left.pop(0))

    text = _VERB.sub(replace, text_of(pattern))
    if left:
        raise BakeError("too many arguments; extra arguments are not used by the format string")
    return text


def _one(match: re.Match[str], value: Value) -> str:
    flags, width, precision, verb = match.groups()
    head = f"%{flags}{width}"
    match verb:
        case "s" | "v":
            text = text_of(value) if not isinstance(value, (list, dict)) else json.dumps(value, separators=(",", ":"))
            return f"{head}s" % (text[: int(precision)] if precision else text)
        case "q":
            return json.dumps(text_of(value))
        case "d" | "o" | "x" | "X":
            return f"{head}{verb}" % int(number_of(value))
        case "b":
            return format(int(number_of(value)), "b")
        case "e" | "f" | "g" | "E" | "G":
            return f"{head}{'.' + precision if precision else ''}{verb}" % number_of(value)
        case "t" if isinstance(value, bool):
            return text_of(value)
    raise BakeError(f"unsupported format verb %{verb} for {kind_of(value)}")
