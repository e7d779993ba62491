"""Caps on what a layer may make of us: a few kilobytes can describe a petabyte or a billion files."""

from __future__ import annotations

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """`ratio` is output over input, and counts only once the output is over `ratio_from_bytes`."""

    output_bytes: int = 1 << 40
    ratio: int = 300
    ratio_from_bytes: int = 1 << 30
    entries: int = 1 << 21


DEFAULT = Limits()
