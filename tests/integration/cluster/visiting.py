"""Clients of a served API that say exactly what they want to say, byte by byte where need be."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from jubako.cluster.apiserver.access.authority import Authority

PATIENCE_S = 20
SECRET = "c2VjcmV0IG9mIG90aGVycw=="
"""What nobody but the administrator may ever be told."""


class Answer(NamedTuple):
    status: int
    text: str
    headers: dict[str, str]

    @property
    def document(self) -> Any:
        return json.loads(self.text)

    @property
    def message(self) -> str:
        return str(self.document.get("message", ""))

    @property
    def reason(self) -> str:
        return str(self.document.get("reason", ""))


class Served:
    """The server's process, and its administrator."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._log = (directory / "log").open("w+")
        script = str(Path(__file__).with_name("serving.py"))
        self.process = subprocess.Popen(
            [sys.executable, script, str(directory)], stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def memory_kb(self) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def admin(self) -> Client:
        names = Authority(self.directory / "pki").client("admin", "kubernetes-admin", ("system:masters",))
        return Client(self, certificate=names)

    def user(self, name: str, *groups: str) -> Client:
        """Somebody with a certificate and whatever rights were given to him."""
        return Client(self, certificate=Authority(self.directory / "pki").client(f"user-{name}", name, groups))

    def bearer(self, token: str) -> Client:
        return Client(self, token=token)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE_S)
        self._log.close()
        if self.process.stdout:
            self.process.stdout.close()


class Client:
    def __init__(self, served: Served, *, certificate: tuple[Path, Path] | None = None, token: str = "") -> None:
        self._served, self._token = served, token
        self.tls = ssl.create_default_context(cafile=str(served.directory / "pki" / "ca.crt"))
        if certificate:
            self.tls.load_cert_chain(*certificate)

    def __call__(
        self, method: str, path: str, body: Any = None, *, type: str = "application/json", **headers: str
    ) -> Answer:
        """Send one request; `body` is JSON's data, or bytes. Header names have _ for -."""
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._token:
            named["Authorization"] = f"Bearer {self._token}"
        if sent is not None:
            named["Content-Type"] = type
        connection = http.client.HTTPSConnection("127.0.0.1", self._served.port, timeout=PATIENCE_S, context=self.tls)
        try:
            connection.request(method, path, sent, named)
            answered = connection.getresponse()
            return Answer(answered.status, answered.read().decode("utf-8", "replace"), dict(answered.getheaders()))
        finally:
            connection.close()

    @contextmanager
    def raw(self) -> Iterator[ssl.SSLSocket]:
        """A connection of its own, for bytes that no client would send."""
        plain = socket.create_connection(("127.0.0.1", self._served.port), PATIENCE_S)
        with plain, self.tls.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
            yield secured

    def say(self, *parts: bytes) -> bytes:
        """Send bytes as they are, and return all that comes until the server closes or has answered."""
        with self.raw() as connection:
            with suppress(ConnectionError, ssl.SSLError):  # the server may have heard enough
                for part in parts:
                    connection.sendall(part)
            return heard(connection)


def heard(connection: ssl.SSLSocket) -> bytes:
    """Return what a server says until it closes, or is done with an answer of known length."""
    received = b""
    with suppress(ConnectionError, ssl.SSLError, TimeoutError):
        while data := connection.recv(65536):
            received += data
            head, end, body = received.partition(b"\r\n\r\n")
            length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"")
            if end and length and len(body) >= int(length.split(b":")[1]):
                break
    return received
