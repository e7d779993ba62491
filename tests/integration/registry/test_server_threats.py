"""What a hostile client may try on a registry: each row of threats.md that is about one."""

from __future__ import annotations

import json
import os
import socket
import time

import pytest
from tests.waiting import until

from jubako.registry.server.uploads import Uploads
from jubako.spec.oci_image import CONFIG, INDEX, LAYER_GZIP, MANIFEST

from .peer import digest_of

pytestmark = pytest.mark.root
CONFUSED = {
    "schemaVersion": 2,
    "config": {"mediaType": CONFIG, "digest": digest_of(b"{}"), "size": 2},
    "layers": [{"mediaType": LAYER_GZIP, "digest": digest_of(b"{}"), "size": 2}],
    "manifests": [{"mediaType": MANIFEST, "digest": digest_of(b"{}"), "size": 2}],
}


def put(registry, document, content_type, name="a"):
    registry.push_blob(name, b"{}")
    return registry("PUT", f"/v2/{name}/manifests/v1", json.dumps(document).encode(), Content_Type=content_type)


@pytest.mark.parametrize("content_type", [MANIFEST, INDEX])
@pytest.mark.parametrize("media_type", [MANIFEST, INDEX, None])
def test_cve_2021_41190_a_document_is_a_manifest_or_an_index(registry, content_type, media_type):
    document = CONFUSED | ({"mediaType": media_type} if media_type else {})
    answer = put(registry, document, content_type)
    assert (answer.status, registry.code(answer)) == (400, "MANIFEST_INVALID")


def test_cve_2021_41190_the_media_type_is_the_content_type(registry):
    manifest = {key: value for key, value in CONFUSED.items() if key != "manifests"}
    assert put(registry, manifest | {"mediaType": MANIFEST}, INDEX).status == 400
    assert put(registry, manifest | {"mediaType": INDEX}, MANIFEST).status == 400
    assert put(registry, manifest, "text/plain").status == 400
    assert put(registry, manifest, MANIFEST).status == 201


def test_endless_manifest_is_not_read(registry):
    host, _, port = registry.domain.partition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        head = (
            f"PUT /v2/a/manifests/v1 HTTP/1.1\r\nHost: x\r\nContent-Type: {MANIFEST}\r\nTransfer-Encoding: chunked\r\n"
        )
        connection.sendall(head.encode() + b"\r\n")
        sent = 0
        try:
            while sent < 64 << 20:
                connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
                sent += 0x10000
        except OSError:
            pass
        assert sent < 64 << 20 or connection.recv(100).startswith(b"HTTP/1.1 413")


def test_deep_and_wide_documents_are_refused_or_stored_but_never_fail(registry):
    deep = b'{"schemaVersion":2,"manifests":[],"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    wide = json.dumps(
        {"schemaVersion": 2, "manifests": [], "annotations": {str(n): "" for n in range(100_000)}}
    ).encode()
    for data in (deep, wide, b"\xff\xfe", b"null", b'"x"', b"[]", b"{", b'{"schemaVersion":1e999}'):
        answer = registry("PUT", "/v2/a/manifests/v1", data, Content_Type=INDEX)
        assert answer.status in (201, 400), answer.data
    assert registry("GET", "/v2/").status == 200


@pytest.mark.parametrize(
    "digest", ["sha256:../../../../etc/passwd", "md5:" + "0" * 32, "sha256:" + "A" * 64, "sha512:0"]
)
def test_digests_in_manifests_never_become_paths(registry, digest):
    document = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{"mediaType": MANIFEST, "digest": digest, "size": 1}],
    }
    answer = put(registry, document, INDEX)
    assert (answer.status, registry.code(answer)) == (400, "MANIFEST_INVALID")
    subject = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": document["manifests"][0]}
    assert put(registry, subject, INDEX).status == 400
    assert registry("GET", f"/v2/a/referrers/{digest.replace('/', '%2F')}").status in (400, 404)


NAMES = ["..%2f..%2fetc", "a%2f..%2fb", "a%00b", "A", "a//b", "-a", "a" * 256, "a/%2e%2e/b", "_uploads", "a@b", "a:b"]


@pytest.mark.parametrize("rest", ["blobs/uploads/", "manifests/v1", "tags/list", "referrers/" + digest_of(b"")])
def test_names_are_the_specifications_before_any_path_is_made(registry, registry_root, rest):
    def made():
        return {
            path
            for path in registry_root.rglob("*")
            if not path.name.startswith(("jubako.db", "upkeep.lock", "ballast"))
        }

    before = made()
    method = "POST" if "uploads" in rest else "GET"
    for name in NAMES:
        assert registry(method, f"/v2/{name}/{rest}", b"" if method == "POST" else None).status in (400, 404), name
    assert made() == before


def test_upload_session_serves_only_its_repository_and_no_path(registry):
    location = registry("POST", "/v2/a/blobs/uploads/", b"").headers["Location"]
    session = location.rpartition("/")[2]
    for wrong in (
        f"/v2/b/blobs/uploads/{session}",
        f"/v2/a/blobs/uploads/{session[:-1]}",
        "/v2/a/blobs/uploads/..%2fx",
    ):
        for method in ("GET", "PATCH", "DELETE"):
            assert registry(method, wrong, b"x" if method == "PATCH" else None).status in (400, 404)
    assert registry("GET", location).status == 204


@pytest.mark.parametrize(
    "header", ["5-", "-5", "a-b", "0-99999999999999999999", "bytes 3-1/*", "0-0,1-1", "", "0 - 1", "٣-٤"]
)
def test_content_ranges_that_make_no_sense_change_nothing(registry, header):
    location = registry("POST", "/v2/a/blobs/uploads/", b"").headers["Location"]
    # http.client sends Latin-1.
    sent = header.encode().decode("latin-1")
    answer = registry("PATCH", location, b"12345", Content_Range=sent)
    assert answer.status in (400, 416)
    assert registry("GET", location).headers["Range"] == "0-0"
    assert registry("PUT", f"{location}?digest={digest_of(b'12345')}", b"12345").status == 201


def test_two_requests_cannot_write_to_one_session(registry):
    location = registry("POST", "/v2/a/blobs/uploads/", b"").headers["Location"]
    host, _, port = registry.domain.partition(":")
    with socket.create_connection((host, int(port)), 10) as slow:
        slow.sendall(f"PATCH {location} HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n".encode())
        slow.sendall(bytes(4_000_000))
        until(lambda: registry("GET", location).headers["Range"] != "0-0")
        answer = registry("PATCH", location, b"x")
        assert (answer.status, registry.code(answer)) == (409, "BLOB_UPLOAD_INVALID")


def test_abandoned_sessions_expire(registry, registry_root):
    from jubako.registry.server.blobs import Blobs
    from jubako.registry.server.state import State

    locations = [registry("POST", "/v2/a/blobs/uploads/", b"").headers["Location"] for _ in range(20)]
    registry("PATCH", locations[0], os.urandom(1000))
    state = State(registry_root, clock=lambda: time.time() + 25 * 3600)
    assert Uploads(state, Blobs(state)).expire() == 20
    state.close()
    assert not list((registry_root / "uploads").iterdir())
    assert registry("GET", locations[0]).status == 404


def test_foreign_urls_are_kept_as_text_and_never_fetched(registry):
    foreign = {"mediaType": LAYER_GZIP, "digest": digest_of(b"far"), "size": 3, "urls": ["http://169.254.169.254/x"]}
    config = {"mediaType": CONFIG, "digest": digest_of(b"{}"), "size": 2}
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [foreign]}
    assert put(registry, document, MANIFEST).status == 201
    assert registry("GET", f"/v2/a/blobs/{foreign['digest']}").status == 404


def test_requests_that_are_no_http_end_with_400(registry):
    host, _, port = registry.domain.partition(":")
    for data in (
        b"\x16\x03\x01\x00\xa5",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"\0\n\n",
    ):
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(100)
            assert not answer or answer.startswith(b"HTTP/1.")
    assert registry("GET", "/v2/").status == 200
