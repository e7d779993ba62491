"""Requests to one server: documents, lines that stream, and WebSockets.

Invariant: a failure of the network or the server is a Refused or Said; what the server warns of goes to `warn`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from urllib.parse import urlencode, urlsplit

import msgspec
import urllib3

from jubako.cluster.client import credentials, websocket
from jubako.cluster.client.config import Target
from jubako.cluster.client.failure import Refused, Said, is_status
from jubako.cluster.types.document import JSON, Object, mapping

Query = Mapping[str, str | Sequence[str]]
JSON_TYPE = "application/json"
_TIMEOUT = urllib3.Timeout(connect=10, read=None)
_AGENT = "jubako"


class Connection:
    """A server, asked as one user."""

    def __init__(self, target: Target, warn: Callable[[str], object]) -> None:
        self.target, self._warn = target, warn
        address = urlsplit(target.server if "://" in target.server else f"https://{target.server}")
        self._secure, self._host = address.scheme == "https", address.hostname or "localhost"
        self._port, self._base = address.port or (443 if self._secure else 80), address.path
        self._shown = credentials.credentials(target)
        self._warned = set[str]()

    @cached_property
    def _pool(self) -> urllib3.HTTPConnectionPool:
        if not self._secure:
            return urllib3.HTTPConnectionPool(self._host, self._port, retries=False, timeout=_TIMEOUT)
        name = self.target.cluster.get("tls-server-name")
        insecure = self.target.cluster.get("insecure-skip-tls-verify") is True
        return urllib3.HTTPSConnectionPool(
            self._host,
            self._port,
            retries=False,
            timeout=_TIMEOUT,
            ssl_context=credentials.tls(self.target, self._shown),
            server_hostname=name if isinstance(name, str) else None,
            cert_reqs="CERT_NONE" if insecure else None,
            assert_hostname=False if insecure else None,
        )

    def call(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        body: JSON = None,
        *,
        content: str = JSON_TYPE,
        accept: str = JSON_TYPE,
    ) -> Object:
        """Return the answer's document. Raises Refused and the failures of the network."""
        data = None if body is None else msgspec.json.encode(body)
        headers = {**self._headers(accept), "Content-Type": content}
        with self._failures():
            response = self._pool.request(method, self._url(path, query), body=data, headers=headers)
        self._tell_warnings(response)
        return self._document(response)

    def get(self, path: str, query: Query | None = None, *, accept: str = JSON_TYPE) -> Object:
        return self.call("GET", path, query, accept=accept)

    @contextmanager
    def stream(self, path: str, query: Query | None = None, *, accept: str = JSON_TYPE) -> Iterator[Iterator[bytes]]:
        """Lend the pieces of an answer as they come, until the server ends it or the block is left."""
        with self._failures():
            response = self._pool.request(
                "GET", self._url(path, query), headers=self._headers(accept), preload_content=False
            )
        try:
            if response.status >= 300:
                self._document(response)
            self._tell_warnings(response)
            yield self._pieces(response)
        finally:
            response.close()

    def upgrade(self, path: str, query: Query, protocols: Sequence[str]) -> websocket.WebSocket:
        """Open a WebSocket; the caller closes it. Raises Refused where the server does not want to."""
        context = credentials.tls(self.target, self._shown) if self._secure else None
        with self._failures():
            opened = websocket.connect((self._host, self._port), context, self.target.cluster.get("tls-server-name"))
            try:
                return websocket.handshake(opened, self._url(path, query), self._headers(JSON_TYPE), protocols)
            except BaseException:
                opened.close()
                raise

    def _url(self, path: str, query: Query | None) -> str:
        return self._base + path + (f"?{urlencode(query, doseq=True)}" if query else "")

    def _headers(self, accept: str) -> dict[str, str]:
        return {**self._shown.headers, "Accept": accept, "User-Agent": _AGENT}

    def _pieces(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        with self._failures():
            while piece := response.read1():
                yield piece

    def _document(self, response: urllib3.BaseHTTPResponse) -> Object:
        with self._failures():
            data = response.data
        try:
            document = mapping(msgspec.json.decode(data))
        except msgspec.MsgspecError:
            document = {}
        if response.status >= 300:
            raise Refused(document if is_status(document) else _unreadable(response.status, data))
        return document

    def _tell_warnings(self, response: urllib3.BaseHTTPResponse) -> None:
        for value in response.headers.getlist("Warning"):
            said = value.partition(' "')[2].removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
            if said and said not in self._warned:
                self._warned.add(said)
                self._warn(f"Warning: {said}")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, OSError) as error:
            reason = getattr(error, "reason", None) or error
            if "refused" in str(error):
                host = f"{self._host}:{self._port}"
                message = f"The connection to the server {host} was refused - did you specify the right host or port?"
                raise Said(message) from None
            raise Said(f"Unable to connect to the server: {reason}") from None


def _unreadable(code: int, data: bytes) -> Object:
    reason = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed"}.get(code, "")
    said = data.decode(errors="replace").strip()
    message = "the server could not find the requested resource" if code == 404 else said or f"HTTP status {code}"
    return {"kind": "Status", "apiVersion": "v1", "message": message, "reason": reason, "code": code}
