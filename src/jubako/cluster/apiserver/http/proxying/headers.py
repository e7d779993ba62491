"""What of a request goes on to a pod, and what of its answer comes back.

Spec: RFC 9110 7.6.1; k8s.io/apimachinery/pkg/util/proxy: X-Forwarded-For, X-Forwarded-Uri, Location.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit, urlunsplit

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

_HOP = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding", "upgrade"),
    )
)
# Who asks is known by now, and its credentials are for nobody else. `expect` is answered by our own server.
_OURS = frozenset(("authorization", "expect", "x-forwarded-for", "x-forwarded-uri"))
# A page of a pod must not open the API server to those whom the pod trusts.
_CORS = frozenset(f"access-control-allow-{each}" for each in ("credentials", "headers", "methods", "origin"))


def is_upgrade(headers: CIMultiDictProxy[str]) -> bool:
    return "upgrade" in _tokens(headers) and "Upgrade" in headers


def for_pod(request: web.Request, path: str) -> CIMultiDict[str]:
    """The headers of a request to `path`, as the pod gets them."""
    kept = _without(request.headers, _OURS)
    if not request.body_exists:
        kept.popall("Content-Length", None)
    for name in [each for each in kept if each.lower().startswith("impersonate-")]:
        kept.popall(name, None)
    before = request.headers.getall("X-Forwarded-For", [])
    kept["X-Forwarded-For"] = ", ".join([*before, request.remote or "unknown"])
    kept["X-Forwarded-Uri"] = path
    return kept


def for_client(headers: CIMultiDictProxy[str], prefix: str, host: str, own: Collection[str]) -> CIMultiDict[str]:
    """The headers of an answer. `prefix` is the path of the proxy, `host` what the client calls this server, `own` are
    the names of the pod."""
    kept = _without(headers, _CORS)
    if location := kept.get("Location"):
        kept["Location"] = moved(location, prefix, host, own)
    return kept


def moved(location: str, prefix: str, host: str, own: Collection[str]) -> str:
    """Absolute paths of the pod are beneath the proxy; what is elsewhere, or relative, stays."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return location
    elsewhere = parts.scheme not in ("", "http", "https") or (parts.netloc and parts.netloc not in (host, *own))
    if elsewhere or not parts.path.startswith("/"):
        return location
    scheme, netloc = (parts.scheme, parts.netloc) if parts.netloc == host else ("", "")
    path = parts.path if parts.path.startswith(prefix) else prefix + parts.path
    return urlunsplit((scheme, netloc, path, parts.query, parts.fragment))


def _without(headers: CIMultiDictProxy[str], names: Iterable[str]) -> CIMultiDict[str]:
    """The headers without these, and without those that are between two neighbours; an upgrade is passed on."""
    dropped = {*_HOP, *_tokens(headers), *names}
    kept = CIMultiDict((name, value) for name, value in headers.items() if name.lower() not in dropped)
    if is_upgrade(headers):
        kept["Connection"], kept["Upgrade"] = "Upgrade", headers["Upgrade"]
    return kept


def _tokens(headers: CIMultiDictProxy[str]) -> set[str]:
    """What `Connection` names."""
    return {each.strip().lower() for line in headers.getall("Connection", []) for each in line.split(",")}
