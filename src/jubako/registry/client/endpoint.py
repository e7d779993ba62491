"""Where a registry is: from the domain of a reference to a base URL, and which hosts are this machine.

Docker Hub's name in references is not the name of its registry; loopback registries may speak plain HTTP.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from jubako.errors import InvalidArgument
from jubako.image.reference import DEFAULT_DOMAIN
from jubako.registry.client.options import ClientOptions

_HUB = "registry-1.docker.io"


def schemes(domain: str, options: ClientOptions) -> tuple[str, ...]:
    """What to try, in order: HTTPS always, plain HTTP only where Docker would."""
    if options.insecure or is_loopback(host_of(domain)):
        return ("https", "http")
    return ("https",)


def authority(domain: str) -> str:
    """The host (and port) that serves the registry called `domain`."""
    return _HUB if domain == DEFAULT_DOMAIN else domain


def host_of(authority: str) -> str:
    """The host without its port and brackets."""
    return urlsplit(f"//{authority}").hostname or ""


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine; other names are not looked up, since names can change."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def check_target(url: str, *, insecure: bool) -> None:
    """Refuse a URL from a registry's answer that must not be followed: another scheme, or a metadata address."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and (insecure or is_loopback(host))):
        raise InvalidArgument(f"refusing to follow {_shown(url)}: it is not https")
    address = _address(host)
    if address is not None and address.is_link_local:
        raise InvalidArgument(f"refusing to follow {_shown(url)}: it is a link-local address")


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs share scheme, host and port, so that credentials for one are meant for the other."""
    return _origin(one) == _origin(other)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _shown(url: str) -> str:
    """The URL without its query, which may carry signatures."""
    return urlsplit(url)._replace(query="", fragment="").geturl()[:300]
