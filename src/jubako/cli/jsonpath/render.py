"""What Go prints of a value."""

from __future__ import annotations

import json

from jubako.cluster.client import gojson
from jubako.cluster.types.document import JSON


def shown(value: JSON) -> str:
    """Return a value as a template prints it: texts as they are, the rest as JSON."""
    match value:
        case None:
            return ""
        case dict() | list():
            return gojson.compact(value)
    return plain(value)


def plain(value: JSON) -> str:
    """Return a value as %v prints it, in columns."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case dict():
            return f"map[{' '.join(f'{key}:{plain(item)}' for key, item in sorted(value.items()))}]"
        case list():
            return f"[{' '.join(map(plain, value))}]"
    return str(value)


def literal(value: JSON) -> str:
    """Return a value as %#v prints it: a literal of Go."""
    match value:
        case None:
            return "interface {}(nil)"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            pairs = ", ".join(f"{literal(key)}:{literal(item)}" for key, item in sorted(value.items()))
            return f"map[string]interface {{}}{{{pairs}}}"
        case list():
            return f"[]interface {{}}{{{', '.join(map(literal, value))}}}"
    return plain(value)
