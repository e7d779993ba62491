"""The container's /etc/resolv.conf, from the host's.

As in Docker: name servers on loopback addresses are left out, since the container's loopback is its own. Where
none remains, Google's are used; a host behind a local stub (systemd-resolved) is asked for the stub's upstreams first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

FORWARDER = "169.254.1.1"
"""Behind it pasta has the host's first name server, which may be on the host's loopback."""

_HOST_FILE = "/etc/resolv.conf"
_UPSTREAM_FILE = "/run/systemd/resolve/resolv.conf"
_STUB = "127.0.0.53"
_FALLBACK = ["8.8.8.8", "8.8.4.4"]


class Settings(NamedTuple):
    """A resolv.conf: its lines `nameserver`, `search` and `options`."""

    servers: list[str]
    search: list[str]
    options: list[str]


def render(
    *, servers: Sequence[str] = (), search: Sequence[str] = (), options: Sequence[str] = (), host: str | None = None
) -> str:
    """Return the text; each of `servers`, `search`, `options` replaces what the host's file (text `host`) says.

    A search list, or options, of "." means none.
    """
    known = _settings(_host_text() if host is None else host, loopback=False)
    domains, settings = list(search) or known.search, list(options) or known.options
    lines = [f"nameserver {server}\n" for server in list(servers) or known.servers or _FALLBACK]
    if domains and domains != ["."]:
        lines.append(f"search {' '.join(domains)}\n")
    if settings and settings != ["."]:
        lines.append(f"options {' '.join(settings)}\n")
    return "".join(lines)


def of_host(*, loopback: bool) -> Settings:
    """Return what the host's file says, with name servers on loopback for those who share its network."""
    return _settings(_read(_HOST_FILE) if loopback else _host_text(), loopback=loopback)


def _settings(text: str, *, loopback: bool) -> Settings:
    servers = [name for name in _words(text, "nameserver") if loopback or _is_reachable(name)]
    return Settings(servers, _words(text, "search") or _words(text, "domain"), _words(text, "options"))


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
