"""One GET to one judged address, or through the proxy that the environment names; no redirects here."""

from __future__ import annotations

import base64
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from jubako.build.graph.vertex import Task
from jubako.build.sources.address import Target, resolve
from jubako.errors import InvalidArgument

_TIMEOUT_S = 60.0
_PORTS = {"http": 80, "https": 443}


@contextmanager
def get(url: str, headers: dict[str, str], task: Task, *, public_only: bool) -> Iterator[tuple[HTTPResponse, Target]]:
    """Lend the response, and what the host was found to be. Raises OSError, HTTPException and what resolve() does.

    Once `task` is given up, who waits for the server gets an error or the end.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InvalidArgument(f"not an http or https URL: {url}")
    proxy = _proxy(parts)
    target = (
        resolve(parts.hostname, port_of(parts), public_only=public_only) if not proxy else _named(parts, public_only)
    )
    connection = _through(proxy, parts) if proxy else _direct(parts, target.address)
    path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
    headers = {"Accept-Encoding": "identity", **_host(parts), **_login(parts), **headers}
    if proxy and parts.scheme == "http":
        path, headers = f"http://{headers['Host']}{path}", {**headers, **_proxy_login(proxy)}
    try:
        if connection.sock is None:
            connection.connect()
        opened = connection.sock
        with task.on_cancel(lambda: _shut_down(opened)):
            connection.request("GET", path, headers=headers)
            yield connection.getresponse(), target
    finally:
        connection.close()


def _shut_down(opened: socket.socket) -> None:
    """End what another thread waits for; closing it would wait for that thread, whose TLS is passed over."""
    with suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)


def port_of(parts: SplitResult) -> int:
    """The port of an http or https URL. Raises InvalidArgument."""
    try:
        return parts.port or _PORTS[parts.scheme]
    except ValueError as error:
        raise InvalidArgument(f"bad port in the URL of {parts.hostname}") from error


def _direct(parts: SplitResult, address: str) -> HTTPConnection:
    """A connection to `address` itself: the name is not looked up again, so nobody can move it meanwhile."""
    host = parts.hostname or ""
    connection = HTTPConnection(host, port_of(parts), timeout=_TIMEOUT_S)
    sock = socket.create_connection((address, port_of(parts)), _TIMEOUT_S)
    try:
        connection.sock = _context().wrap_socket(sock, server_hostname=host) if parts.scheme == "https" else sock
    except BaseException:
        sock.close()
        raise
    return connection


def _through(proxy: str, parts: SplitResult) -> HTTPConnection:
    at = _proxy_parts(proxy)
    if parts.scheme == "http":
        return HTTPConnection(at.hostname or "", at.port or 80, timeout=_TIMEOUT_S)
    connection = HTTPSConnection(at.hostname or "", at.port or 80, timeout=_TIMEOUT_S, context=_context())
    connection.set_tunnel(parts.hostname or "", port_of(parts), _proxy_login(proxy))
    return connection


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _proxy(parts: SplitResult) -> str:
    if not any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in os.environ):
        return ""
    host = parts.hostname or ""
    if host == "localhost" or proxy_bypass(host):
        return ""
    proxies = getproxies_environment()
    return proxies.get(parts.scheme) or proxies.get("all") or ""


def _named(parts: SplitResult, public_only: bool) -> Target:
    """Behind a proxy names are the proxy's to look up; addresses are judged all the same."""
    host = parts.hostname or ""
    try:
        socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)
    except OSError:
        return Target(host, public=True)
    return resolve(host, port_of(parts), public_only=public_only)


def _proxy_parts(proxy: str) -> SplitResult:
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _proxy_login(proxy: str) -> dict[str, str]:
    return {f"Proxy-{name}": value for name, value in _login(_proxy_parts(proxy)).items()}


def _host(parts: SplitResult) -> dict[str, str]:
    return {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "jubako"}


def _login(parts: SplitResult) -> dict[str, str]:
    if not parts.username:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
