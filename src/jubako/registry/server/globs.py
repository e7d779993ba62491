"""Patterns of repositories and tags: `*` is anything but a slash, `**` is anything, `?` is one character."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

_PART = re.compile(r"\*\*|\*|\?|[^*?]+")
_WILD = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
_LENGTH_LIMIT = 255


class Glob(str):
    """One pattern. `team/**` also means `team` itself, as people expect of a directory."""

    @classmethod
    def read(cls, value: Any) -> Glob:
        if not isinstance(value, str) or not 0 < len(value) <= _LENGTH_LIMIT:
            raise ValueError(f"{value!r} is not a pattern (write it as team/* or team/**)")
        return cls(value)

    def matches(self, name: str) -> bool:
        return _compiled(str(self)).fullmatch(name) is not None


def any_matches(globs: Iterable[Glob], name: str) -> bool:
    return any(glob.matches(name) for glob in globs)


@lru_cache(1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    stem = pattern.removesuffix("/**")
    written = "".join(_WILD.get(part) or re.escape(part) for part in _PART.findall(stem))
    return re.compile(written + ("(?:/.*)?" if stem != pattern else ""))
