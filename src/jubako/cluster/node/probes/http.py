"""One GET, with redirects: what httpGet of probes and hooks does.

Model:  only the head of an answer is read. A redirect to another host is not followed.
Spec:   core/v1 HTTPGetAction; k8s.io/kubernetes/pkg/probe/http.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

from jubako.cluster.node.probes.dialing import Failed, dialed, joined, port_of
from jubako.cluster.types.document import Object, objects, text

_REDIRECTS, _MOST = (301, 302, 303, 307, 308), 10
_PORTS = {"http": 80, "https": 443}
_AGENT = "kube-probe/1.32"


class Answer(NamedTuple):
    """`elsewhere` says that it leads to another host."""

    code: int
    elsewhere: bool = False


async def get(asked: Object, container: Object, address: str, timeout_s: float | None) -> Answer:
    """Do what an HTTPGetAction says; `address` is the pod's. Raises Failed."""
    host = text(asked.get("host")) or address
    scheme, path = (text(asked.get("scheme")) or "HTTP").lower(), text(asked.get("path"))
    first = url = f"{scheme}://{joined(host, port_of(container, asked.get('port')))}/{path.removeprefix('/')}"
    try:
        async with asyncio.timeout(timeout_s):
            for _ in range(_MOST):
                code, location = await _once(urlsplit(url), _headers(asked))
                if code not in _REDIRECTS or not location:
                    return Answer(code)
                url = urljoin(url, location)
                if urlsplit(url).hostname != urlsplit(first).hostname or urlsplit(url).scheme not in _PORTS:
                    return Answer(code, elsewhere=True)
        raise Failed(f"stopped after {_MOST} redirects")
    except (Failed, ValueError) as error:
        raise Failed(f'Get "{url}": {error}') from None
    except TimeoutError:
        why = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        raise Failed(f'Get "{url}": {why}') from None


def _headers(asked: Object) -> list[tuple[str, str]]:
    """The header fields that are asked for, and ours; one of ours that is asked for empty is left out."""
    given = [(text(each.get("name")), text(each.get("value"))) for each in objects(asked.get("httpHeaders"))]
    for name, value in given:
        if any(sign in name + value for sign in "\r\n\0") or not name:
            raise Failed(f'net/http: invalid header field value for "{name}"')
    names = {name.lower() for name, _ in given}
    own = [(name, value) for name, value in (("User-Agent", _AGENT), ("Accept", "*/*")) if name.lower() not in names]
    return [*own, *((name, value) for name, value in given if value or name.lower() not in ("user-agent", "accept"))]


async def _once(url: SplitResult, headers: list[tuple[str, str]]) -> tuple[int, str]:
    port = url.port or _PORTS[url.scheme]
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    if any(ord(sign) <= 32 for sign in target):
        raise Failed("net/url: invalid control character in URL")
    host = [] if any(name.lower() == "host" for name, _ in headers) else [("Host", url.netloc)]
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in [*host, *headers]), "Connection: close"]
    async with dialed(url.hostname or "", port, secure=url.scheme == "https") as (reader, writer):
        try:
            writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
            await writer.drain()
            return await _head(reader)
        except OSError as error:
            raise Failed(f"read tcp {joined(url.hostname or '', port)}: {error.strerror}") from None


async def _head(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Read status and Location."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            raise Failed("EOF") from None
        head = error.partial.decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError:
        raise Failed("net/http: HTTP/1.x transport connection broken: headers too long") from None
    version, _, rest = head[0].partition(" ")
    if not version.startswith("HTTP/") or not rest[:3].isdecimal():
        raise Failed(f'net/http: HTTP/1.x transport connection broken: malformed HTTP response "{head[0][:80]}"')
    fields = (line.partition(":") for line in head[1:])
    location = next((value.strip() for name, _, value in fields if name.lower() == "location"), "")
    return int(rest[:3]), location
