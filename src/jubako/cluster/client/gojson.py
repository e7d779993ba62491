"""JSON as Go writes it: keys in order, and what HTML would take for its own escaped."""

from __future__ import annotations

import json

from jubako.cluster.types.document import JSON

_ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def compact(value: JSON) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).translate(_ESCAPED)


def indented(value: JSON) -> str:
    """Return lines indented by four."""
    return json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False).translate(_ESCAPED) + "\n"
