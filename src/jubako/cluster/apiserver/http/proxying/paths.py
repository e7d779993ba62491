"""The path of a proxy: what leads to it, and what is beneath it, both as they came."""

from __future__ import annotations

from urllib.parse import unquote

import msgspec
from yarl import URL

from jubako.cluster.apiserver import failures

_PREFIX_PARTS = 7  # api/v1/namespaces/NS/RESOURCE/NAME/proxy


class Path(msgspec.Struct, frozen=True, kw_only=True):
    """`rest` is "", or begins with a slash; `query` is "", or begins with a question mark."""

    prefix: str
    rest: str
    query: str


def path_of(url: URL) -> Path:
    """Raises Failure (400)."""
    parts = url.raw_path.lstrip("/").split("/", _PREFIX_PARTS)
    prefix = "/".join(parts[:_PREFIX_PARTS])
    if unquote(prefix).count("/") != _PREFIX_PARTS - 1:
        raise failures.bad_request("the path of a proxy has no encoded slashes in its names")
    rest = "/" + parts[_PREFIX_PARTS] if len(parts) > _PREFIX_PARTS else ""
    query = f"?{url.raw_query_string}" if url.raw_query_string else ""
    return Path(prefix=f"/{prefix}", rest=rest, query=query)
