"""The user that a client certificate stands for: its common name, in the groups of its organizational units.

TLS has checked the certificate against the configured authorities before anything here sees it.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from jubako.registry.server.access.caller import Caller


def caller_of(request: web.BaseRequest) -> Caller | None:
    """Return whom the connection's certificate speaks for; None when it has none."""
    certificate: dict[str, Any] | None = request.get_extra_info("peercert")
    if not certificate:
        return None
    subject = [pair for part in certificate.get("subject", ()) for pair in part]
    names = [value for name, value in subject if name == "commonName"]
    groups = frozenset(value for name, value in subject if name == "organizationalUnitName")
    return Caller(names[0], groups) if len(names) == 1 and names[0] else None
