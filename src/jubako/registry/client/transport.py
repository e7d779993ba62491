"""HTTP to any host: pooled connections, time limits, TLS and proxies. No retries, redirects or credentials here.

Concurrency:  threads share one transport; a response belongs to the thread that asked, until it is closed.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from threading import Lock
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from weakref import WeakSet

import urllib3

from jubako.errors import InvalidArgument
from jubako.registry.client.endpoint import is_loopback
from jubako.registry.client.options import RANGES, ClientOptions

# A body goes out, and comes in, in pieces of this size.
BLOCK_BYTES = 1 << 20
_USER_AGENT = "jubako"

# In memory, so that it can be sent again; or in pieces, once.
Body: TypeAlias = bytes | Iterable[bytes]


class GivenUp(urllib3.exceptions.HTTPError):
    """The request is not wanted any more; to repeat it is no use."""


class Transport:
    def __init__(self, options: ClientOptions) -> None:
        self._options = options
        self._managers: dict[str, urllib3.PoolManager] = {}
        self._responses: WeakSet[urllib3.BaseHTTPResponse] = WeakSet()
        self._lock = Lock()
        self._aborted = False

    def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: Body | None = None,
        timeout_s: float | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Send one request and return its response with the body still to read; the caller closes it.

        `timeout_s` stands in for the options' limit of silence. Raises urllib3's HTTPError.
        """
        response = self._manager(url).request(
            method,
            url,
            body=body,
            headers={"User-Agent": _USER_AGENT, **headers},
            timeout=urllib3.Timeout(connect=self._options.connect_timeout_s, read=timeout_s or self._options.timeout_s),
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )
        with self._lock:
            self._responses.add(response)
            aborted = self._aborted
        if aborted:
            response.close()
            raise GivenUp(f"{method} {url}: given up")
        return response

    def abort(self) -> None:
        """Give up: every thread that waits for more of a response gets an error, and so does who asks from now on."""
        with self._lock:
            self._aborted = True
            responses = list(self._responses)
        for response in responses:
            # One that has ended has nothing to shut down.
            with suppress(OSError, ValueError, RuntimeError):
                response.shutdown()

    def close(self) -> None:
        for manager in self._managers.values():
            manager.clear()

    def _manager(self, url: str) -> urllib3.PoolManager:
        proxy = _proxy_for(url)
        with self._lock:
            if proxy not in self._managers:
                self._managers[proxy] = _make(self._options, proxy)
            return self._managers[proxy]


def read(response: urllib3.BaseHTTPResponse, limit: int) -> bytes:
    """Return up to `limit` bytes of the body, and close the response or give its connection back.

    What a server compresses, though nobody asked it to, is decompressed, and not beyond `limit`.
    """
    data = bytearray()
    response.decode_content = True
    try:
        while len(data) < limit and (piece := response.read(limit - len(data))):
            data += piece
    finally:
        finish(response)
    return bytes(data)


def finish(response: urllib3.BaseHTTPResponse) -> None:
    """Keep the connection where little is left to read; otherwise close it."""
    left = response.length_remaining
    # To read the rest of a compressed body could be to inflate a bomb.
    if left is not None and left <= BLOCK_BYTES and "Content-Encoding" not in response.headers:
        response.drain_conn()
        response.release_conn()
    else:
        response.close()


def _make(options: ClientOptions, proxy: str) -> urllib3.PoolManager:
    settings: dict[str, Any] = {"maxsize": options.parallel * (options.ranges or RANGES) + 1, "blocksize": BLOCK_BYTES}
    if options.ca_file is not None or options.client_certificate is not None:
        settings["ssl_context"] = _context(options)
    if options.insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        settings |= {"cert_reqs": "CERT_NONE", "assert_hostname": False}
    if proxy:
        return urllib3.ProxyManager(proxy, **settings)
    return urllib3.PoolManager(**settings)


def _context(options: ClientOptions) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if options.ca_file is not None:
            context.load_verify_locations(options.ca_file)
        if options.client_certificate is not None:
            context.load_cert_chain(*options.client_certificate)
    except (OSError, ssl.SSLError) as error:
        raise InvalidArgument(f"cannot use the certificates for the registry: {error}") from error
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy_for(url: str) -> str:
    """The proxy that the environment names for `url`, or nothing; never for this machine itself."""
    if not any(name.lower() in ("http_proxy", "https_proxy", "all_proxy") for name in os.environ):
        return ""
    from urllib.request import getproxies_environment, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return ""
    proxies = getproxies_environment()
    return proxies.get(parts.scheme) or proxies.get("all") or ""
