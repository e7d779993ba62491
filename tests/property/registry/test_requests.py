"""Whole requests to a registry with something changed: answered, never with 5xx, and what it has stays what it is."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path
from urllib.parse import urlsplit

from tests.integration.registry.peer import Http, digest_of, served
from tests.property.mutation import changed, rounds

from jubako.registry.server import configured
from jubako.spec.oci_image import MANIFEST

FIELDS = [
    b"Content-Range: 5-3",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Transfer-Encoding: chunked",
    b"Range: bytes=-0",
    b"Expect: 100-continue",
    b"Content-Type: " + MANIFEST.encode(),
]
WORDS = [
    *(
        b"..",
        b"%2f",
        b"%00",
        b"\r\n",
        b"\0",
        b"sha256:",
        b"sha512:",
        b"999999999",
        b"PATCH",
        b"PUT",
        b"DELETE",
        b"HEAD",
    ),
    *(b"?digest=", b"&mount=", b"&from=", b"&n=-1", b"&last=", b"/blobs/uploads/", b"/manifests/", b"/referrers/"),
    *(field + b"\r\n" for field in FIELDS),
]


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    fields = {"Host": "registry", "Connection": "close", "Content-Length": str(len(body))} | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def requests_of(http: Http, chance: random.Random, kept: str) -> list[bytes]:
    """What a client does to push and pull, at this moment."""
    data = os.urandom(chance.choice((0, 1, 2000)))
    digest = digest_of(data)
    location = http("POST", "/v2/a/blobs/uploads/").headers["Location"]
    return [
        request("POST", "/v2/a/blobs/uploads/"),
        request("POST", f"/v2/a/blobs/uploads/?digest={digest}", data),
        request("POST", f"/v2/b/blobs/uploads/?mount={kept}&from=a"),
        request("PATCH", location, data, Content_Range=f"0-{max(0, len(data) - 1)}"),
        request("PUT", f"{location}?digest={digest}", data),
        request("GET", location),
        request("DELETE", location),
        request("PUT", "/v2/a/manifests/v1", b'{"schemaVersion": 2}', Content_Type=MANIFEST),
        request("GET", f"/v2/a/blobs/{kept}", Range="bytes=5-9"),
        request("HEAD", f"/v2/a/manifests/{digest}", Accept=f"{MANIFEST};q=0.5, */*"),
        request("GET", "/v2/a/tags/list?n=2&last=a"),
        request("GET", f"/v2/a/referrers/{digest}?artifactType=x"),
        request("GET", "/v2/_catalog?n=1"),
    ]


def answer(http: Http, data: bytes) -> bytes:
    """All that comes back, until the server closes or waits for more."""
    where = urlsplit(http.base)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            found = b""
            while piece := connection.recv(1 << 16):
                found += piece
        except (ConnectionResetError, BrokenPipeError):
            return b""
    return found


def test_changed_requests_are_answered_and_break_nothing(tmp_path: Path) -> None:
    with served(configured(tmp_path, "127.0.0.1:0", drain_s=5)) as http:
        data = os.urandom(3000)
        kept = http.push_blob("a", data)
        for number, chance in rounds(1.5):
            sent = changed(chance.choice(requests_of(http, chance, kept)), chance, WORDS)
            status = answer(http, sent)[9:12]
            assert not status.startswith(b"5"), f"seed {number}: {sent!r} was answered {status!r}"
        assert (
            http("GET", f"/v2/a/blobs/{kept}").data in (data, b"") or http("HEAD", f"/v2/a/blobs/{kept}").status == 404
        )
    for path in (tmp_path / "blobs").glob("*/*"):
        if path.parent.name == "sha256":
            assert digest_of(path.read_bytes()) == f"sha256:{path.name}"
