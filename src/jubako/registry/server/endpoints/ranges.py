"""Range of a GET: one range of bytes, as RFC 9110, section 14 has it."""

from __future__ import annotations

import re
from typing import NamedTuple

from aiohttp import web

from jubako.registry.server.endpoints.conditions import range_holds
from jubako.registry.server.refusal import Refused
from jubako.spec.distribution import Code

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Range(NamedTuple):
    start: int
    end: int
    """The first byte that is not wanted."""
    partial: bool


def wanted_range(request: web.BaseRequest, digest: str, size: int) -> Range:
    """Which part of the `size` bytes of `digest` to send. Refused with 416.

    All of them for a form of range that we do not serve, and for one that is meant for other content.
    """
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or not (match[1] or match[2]) or not range_holds(request, digest):
        return Range(0, size, False)
    if not match[1]:
        start, end = max(0, size - int(match[2])), size
    else:
        start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
    if start >= end:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Refused(Code.SIZE_INVALID, "the range lies outside the blob", status=416, headers=headers)
    return Range(start, end, True)
