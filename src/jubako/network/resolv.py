"""The container's /etc/resolv.conf, from the host's.

As in Docker: name servers on loopback addresses are left out, since the container's loopback is its own. Where
none remains, Google's are used; a host behind a local stub (systemd-resolved) is asked for the stub's upstreams first.
"""

from __future__ import annotations

from collections.abc import Sequence

_HOST_FILE = "/etc/resolv.conf"
_UPSTREAM_FILE = "/run/systemd/resolve/resolv.conf"
_STUB = "127.0.0.53"
_FALLBACK = ("8.8.8.8", "8.8.4.4")


def render(
    *, servers: Sequence[str] = (), search: Sequence[str] = (), options: Sequence[str] = (), host: str | None = None
) -> str:
    """Return the text; each of `servers`, `search`, `options` replaces what the host's file (text `host`) says.

    A search list of "." means none.
    """
    text = _host_text() if host is None else host
    found = list(servers) or [name for name in _words(text, "nameserver") if _is_reachable(name)] or list(_FALLBACK)
    domains = list(search) or _words(text, "search") or _words(text, "domain")
    domains = [] if domains == ["."] else domains
    settings = list(options) or _words(text, "options")
    lines = [f"nameserver {server}\n" for server in found]
    if domains:
        lines.append(f"search {' '.join(domains)}\n")
    if settings:
        lines.append(f"options {' '.join(settings)}\n")
    return "".join(lines)


def _host_text() -> str:
    text = _read(_HOST_FILE)
    return (_read(_UPSTREAM_FILE) or text) if _words(text, "nameserver") == [_STUB] else text


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(1 << 16)
    except OSError:
        return ""


def _words(text: str, keyword: str) -> list[str]:
    """Return what follows `keyword`: of each line for name servers, of the last one for the others (resolv.conf(5))."""
    found: list[str] = []
    for line in text.splitlines():
        first, *rest = line.split() or [""]
        if first == keyword:
            found = [*found, *rest[:1]] if keyword == "nameserver" else rest
    return found


def _is_reachable(server: str) -> bool:
    # Containers have no IPv6 route yet, so a server there could only time out.
    return not server.startswith("127.") and ":" not in server
