"""A registry in a thread of this process, and requests to it as a test writes them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import urllib3

from jubako.image.reference import Reference, parse
from jubako.registry.server import Configuration
from jubako.registry.server.listening import bind
from jubako.registry.server.registry import memory_for
from jubako.registry.server.server import Running, running
from jubako.spec.oci_image import Digest


class Http:
    """Requests to one server. Underscores in header names stand for hyphens."""

    def __init__(self, base: str, *, reload: Callable[[], None] = lambda: None, **tls: str) -> None:
        self.base = base
        self.reload = reload
        self.domain = base.partition("//")[2]
        self._pool = urllib3.PoolManager(retries=False, timeout=20, **tls)

    def __call__(self, method: str, path: str, body: bytes | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
        url = path if "://" in path else self.base + path
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._pool.request(method, url, body=body, headers=sent, redirect=False)

    def reference(self, text: str) -> Reference:
        return parse(f"{self.domain}/{text}")

    def push_blob(self, name: str, data: bytes) -> Digest:
        digest = digest_of(data)
        answer = self("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", data)
        assert answer.status == 201, answer.data
        return digest

    def code(self, answer: urllib3.BaseHTTPResponse) -> str:
        """The error code of a refusal."""
        code: str = answer.json()["errors"][0]["code"]
        return code


Serve = Callable[..., AbstractContextManager[Http]]


def digest_of(data: bytes) -> Digest:
    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def basic(user: str, password: str = "secret") -> dict[str, str]:
    """The headers of one who says who they are."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


@contextmanager
def served(configuration: Configuration, file: Path | None = None) -> Iterator[Http]:
    """The registry has drained and closed when the body is left."""
    ready = threading.Event()
    found: list[Running] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def main() -> None:
        memory = memory_for(configuration)
        try:
            with bind(configuration.listen) as listener:
                async with running(configuration, listener, memory) as server:
                    found.append(server)
                    ready.set()
                    await stop.wait()
        finally:
            os.close(memory.fd)

    def run() -> None:
        try:
            loop.run_until_complete(main())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            loop.close()
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(20)
    try:
        yield Http(found[0].url, reload=lambda: found[0].reload(file) if file else None)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
