"""Blobs and uploads over HTTP, as the specification says."""

from __future__ import annotations

import hashlib
import http.client
import os

import pytest
from tests.waiting import until

from .peer import digest_of

pytestmark = pytest.mark.root
DATA = os.urandom(300_000)


def test_base_says_the_version(registry):
    answer = registry("GET", "/v2/")
    assert answer.status == 200
    assert answer.headers["Docker-Distribution-API-Version"] == "registry/2.0"


def test_monolithic_post_creates_a_blob(registry):
    digest = digest_of(DATA)
    answer = registry("POST", f"/v2/a/b/blobs/uploads/?digest={digest}", DATA)
    assert answer.status == 201
    assert answer.headers["Location"] == f"/v2/a/b/blobs/{digest}"
    got = registry("GET", answer.headers["Location"])
    assert (got.data, got.headers["Docker-Content-Digest"]) == (DATA, digest)


def test_post_then_put_creates_a_blob(registry):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    assert registry("PUT", f"{location}?digest={digest_of(DATA)}", DATA).status == 201
    assert registry("HEAD", f"/v2/a/blobs/{digest_of(DATA)}").headers["Content-Length"] == str(len(DATA))


def test_streamed_patch_without_a_length_then_put(registry):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    connection = http.client.HTTPConnection(registry.domain, timeout=10)
    pieces = (DATA[at : at + 7000] for at in range(0, len(DATA), 7000))
    connection.request("PATCH", location, body=pieces, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Range"]) == (202, f"0-{len(DATA) - 1}")
    connection.close()
    assert registry("PUT", f"{location}?digest={digest_of(DATA)}").status == 201


def test_chunks_in_order_make_a_blob_and_status_tells_the_offset(registry):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    first, second = DATA[:100_000], DATA[100_000:]
    answer = registry("PATCH", location, first, Content_Range="0-99999")
    assert answer.status == 202
    status = registry("GET", location)
    assert (status.status, status.headers["Range"]) == (204, "0-99999")
    last = f"{location}?digest={digest_of(DATA)}"
    assert registry("PUT", last, second, Content_Range=f"100000-{len(DATA) - 1}").status == 201


def test_chunk_out_of_order_is_416_and_the_session_goes_on(registry):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    registry("PATCH", location, DATA[:1000], Content_Range="0-999")
    answer = registry("PATCH", location, DATA[2000:3000], Content_Range="2000-2999")
    assert (answer.status, answer.headers["Range"]) == (416, "0-999")
    assert registry("PUT", f"{location}?digest={digest_of(DATA)}", DATA[1000:]).status == 201


def test_chunk_whose_length_contradicts_its_range_is_refused(registry):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    answer = registry("PATCH", location, b"12345", Content_Range="0-9")
    assert (answer.status, registry.code(answer)) == (400, "SIZE_INVALID")


def test_upload_goes_on_after_the_server_was_started_again(serve):
    with serve() as registry:
        location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
        registry("PATCH", location, DATA[:1000])
    with serve() as registry:
        assert registry("GET", location).headers["Range"] == "0-999"
        assert registry("PUT", f"{location}?digest={digest_of(DATA)}", DATA[1000:]).status == 201


def test_wrong_digest_leaves_no_blob_and_ends_the_session(registry, registry_root):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    answer = registry("PUT", f"{location}?digest={digest_of(b'other')}", DATA)
    assert (answer.status, registry.code(answer)) == (400, "DIGEST_INVALID")
    assert registry("GET", location).status == 404
    assert registry("GET", f"/v2/a/blobs/{digest_of(b'other')}").status == 404
    assert not list((registry_root / "uploads").iterdir())
    assert not list((registry_root / "blobs" / "sha256").iterdir())


def test_sha512_digest_is_served_under_its_name(registry):
    digest = "sha512:" + hashlib.sha512(DATA).hexdigest()
    assert registry("POST", f"/v2/a/blobs/uploads/?digest={digest}", DATA).status == 201
    assert registry("GET", f"/v2/a/blobs/{digest}").data == DATA


def test_empty_blob(registry):
    digest = registry.push_blob("a", b"")
    answer = registry("GET", f"/v2/a/blobs/{digest}")
    assert (answer.status, answer.data) == (200, b"")


def test_upload_can_be_cancelled(registry, registry_root):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    registry("PATCH", location, DATA)
    assert registry("DELETE", location).status == 204
    assert registry("GET", location).status == 404
    assert not list((registry_root / "uploads").iterdir())


def test_session_belongs_to_its_repository(registry):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    answer = registry("PATCH", location.replace("/v2/a/", "/v2/b/"), DATA)
    assert (answer.status, registry.code(answer)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_ranges(registry):
    path = f"/v2/a/blobs/{registry.push_blob('a', DATA)}"
    middle = registry("GET", path, Range="bytes=100-199")
    assert (middle.status, middle.data) == (206, DATA[100:200])
    assert middle.headers["Content-Range"] == f"bytes 100-199/{len(DATA)}"
    assert registry("GET", path, Range="bytes=299000-").data == DATA[299_000:]
    assert registry("GET", path, Range="bytes=-10").data == DATA[-10:]
    assert registry("GET", path, Range=f"bytes={len(DATA)}-").status == 416


def test_blob_that_the_client_has_is_not_sent(registry):
    digest = registry.push_blob("a", DATA)
    path, tag = f"/v2/a/blobs/{digest}", f'"{digest}"'
    assert registry("GET", path).headers["ETag"] == tag
    for method in ("GET", "HEAD"):
        answer = registry(method, path, If_None_Match=tag)
        assert (answer.status, answer.data) == (304, b"")
    assert registry("GET", path, If_None_Match='"another"').data == DATA
    assert registry("GET", path, If_Match='"another"').status == 412
    assert registry("GET", path, If_Match=tag).data == DATA


@pytest.mark.parametrize(("condition", "status"), [('"{}"', 206), ('"another"', 200), ('W/"{}"', 200)])
def test_range_of_other_content_is_not_served(registry, condition, status):
    digest = registry.push_blob("a", DATA)
    answer = registry("GET", f"/v2/a/blobs/{digest}", Range="bytes=0-9", If_Range=condition.format(digest))
    assert (answer.status, answer.data) == (status, DATA[:10] if status == 206 else DATA)


def test_mount_shares_bytes_and_needs_the_source_to_have_them(registry, registry_root):
    digest = registry.push_blob("from", DATA)
    mounted = registry("POST", f"/v2/to/blobs/uploads/?mount={digest}&from=from")
    assert (mounted.status, mounted.headers["Location"]) == (201, f"/v2/to/blobs/{digest}")
    assert registry("GET", f"/v2/to/blobs/{digest}").data == DATA
    assert len(list((registry_root / "blobs" / "sha256").iterdir())) == 1
    assert registry("POST", f"/v2/x/blobs/uploads/?mount={digest}&from=nobody").status == 202


def test_blob_of_another_repository_is_unknown(registry):
    digest = registry.push_blob("secret", DATA)
    answer = registry("GET", f"/v2/public/blobs/{digest}")
    assert (answer.status, registry.code(answer)) == (404, "BLOB_UNKNOWN")


def test_delete_takes_the_blob_from_its_repository_only(registry):
    digest = registry.push_blob("a", DATA)
    registry.push_blob("b", DATA)
    assert registry("DELETE", f"/v2/a/blobs/{digest}").status == 202
    assert registry("GET", f"/v2/a/blobs/{digest}").status == 404
    assert registry("DELETE", f"/v2/a/blobs/{digest}").status == 404
    assert registry("GET", f"/v2/b/blobs/{digest}").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/v2/../etc/blobs/uploads/",
        "/v2/%2e%2e/blobs/uploads/",
        "/v2/a/..%2f..%2fb/blobs/uploads/",
        "/v2/UPPER/blobs/uploads/",
        "/v2/a//b/blobs/uploads/",
        "/v2/-a/blobs/uploads/",
        f"/v2/{'a' * 256}/blobs/uploads/",
        "/v2/a/blobs/uploads/..%2f..%2fblobs",
    ],
)
def test_hostile_names_are_refused_before_any_path_is_made(registry, registry_root, path):
    connection = http.client.HTTPConnection(registry.domain, timeout=10)
    connection.request("POST", path, headers={"Content-Length": "0"})
    assert 400 <= connection.getresponse().status < 500
    connection.close()
    assert not list((registry_root / "uploads").iterdir())


def test_unknown_method_and_endpoint_are_refused_with_the_error_body(registry):
    answer = registry("PUT", "/v2/a/tags/list")
    assert (answer.status, registry.code(answer), answer.headers["Allow"]) == (405, "UNSUPPORTED", "GET, HEAD")
    assert registry("GET", "/v2/nothing/here").status == 404
    assert registry("GET", "/v1/").status == 404


def test_expect_continue_is_answered_before_the_body(registry):
    connection = http.client.HTTPConnection(registry.domain, timeout=10)
    connection.putrequest("POST", f"/v2/a/blobs/uploads/?digest={digest_of(b'hello')}")
    connection.putheader("Content-Length", "5")
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    assert connection.sock.recv(1024).startswith(b"HTTP/1.1 100 Continue")
    connection.send(b"hello")
    assert connection.getresponse().status == 201
    connection.close()


def test_broken_upload_goes_on_from_the_offset_that_the_server_tells(registry):
    data = os.urandom(3_000_000)
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    connection = http.client.HTTPConnection(registry.domain, timeout=10)
    connection.putrequest("PATCH", location)
    connection.putheader("Content-Length", str(len(data)))
    connection.endheaders()
    connection.send(data[:2_500_000])
    until(lambda: offset(registry, location) >= 1 << 20)
    connection.close()
    until(lambda: registry("PATCH", location, b"").status == 202)
    kept = offset(registry, location)
    assert 1 << 20 <= kept <= 2_500_000
    last = f"{location}?digest={digest_of(data)}"
    assert registry("PUT", last, data[kept:], Content_Range=f"{kept}-{len(data) - 1}").status == 201


def offset(registry, location):
    return int(registry("GET", location).headers["Range"].partition("-")[2]) + 1
