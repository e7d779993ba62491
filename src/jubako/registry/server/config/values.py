"""Values of a configuration that are written in a form of their own: durations, sizes, paths, patterns of names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jubako.registry.server.globs import Glob

_NUMBER = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)", re.ASCII)
_SECONDS = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES = {
    "": 1,
    "b": 1,
    **{unit: 1000**power for power, unit in enumerate(("kb", "mb", "gb", "tb"), 1)},
    **{unit: 1024**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), 1)},
}


class Duration(float):
    """Seconds; written as `90s`, `15m`, `1h`, `30d`."""

    @classmethod
    def read(cls, value: Any) -> Duration:
        return cls(_measure(value, _SECONDS, "a duration (write it as 90s, 15m, 1h or 30d)"))


class Size(int):
    """Bytes; written as `500MB` or `2GiB`."""

    @classmethod
    def read(cls, value: Any) -> Size:
        return cls(_measure(value, _BYTES, "a size (write it as 500MB or 2GiB)"))


def decoder(base: Path) -> Any:
    """A hook for msgspec that reads these types; paths are taken from the directory `base`."""

    def read(kind: type, value: Any) -> Any:
        if kind is Path:
            if not isinstance(value, str) or not value:
                raise ValueError("expected the path of a file")
            return base / value
        if kind in (Duration, Size, Glob):
            return kind.read(value)
        raise NotImplementedError(kind)

    return read


def _measure(value: Any, units: dict[str, float], what: str) -> float:
    match = _NUMBER.fullmatch(str(value).strip()) if isinstance(value, (int, float, str)) else None
    unit = match[2] if match and match[2] in units else (match[2].lower() if match else "")
    if match is None or isinstance(value, bool) or unit not in units:
        raise ValueError(f"{value!r} is not {what}")
    return float(match[1]) * units[unit]
