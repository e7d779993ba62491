"""Conditional requests: the entity tag of content is its digest, so what a client has of it is never out of date.

Spec:  RFC 9110, section 13. A tag without quotation marks counts too, as in Docker's registry.
"""

from __future__ import annotations

import re

from aiohttp import web

_TAG = re.compile(r'(W/)?"([^"]*)"|([^\s,"]+)')


def entity_tag(digest: str) -> str:
    return f'"{digest}"'


def settled(request: web.BaseRequest, digest: str, headers: dict[str, str]) -> web.Response | None:
    """The answer where the conditions of a GET or HEAD leave nothing to send; None where they let it go on."""
    wanted = request.headers.getall("If-Match", [])
    if wanted and not _names(wanted, digest, weak=False):
        return web.Response(status=412, headers=_without_content(headers))
    if _names(request.headers.getall("If-None-Match", []), digest, weak=True):
        return web.Response(status=304, headers=_without_content(headers))
    return None


def range_holds(request: web.BaseRequest, digest: str) -> bool:
    """Whether a Range is meant for this content; a date says nothing, since we send none."""
    condition = request.headers.getall("If-Range", [])
    return not condition or _names(condition, digest, weak=False)


def _names(values: list[str], digest: str, *, weak: bool) -> bool:
    for match in _TAG.finditer(",".join(values)):
        if match[3] == "*" or (digest in (match[2], match[3]) and (weak or not match[1])):
            return True
    return False


def _without_content(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if not name.startswith("Content-")}
