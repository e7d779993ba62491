"""Blobs as conformance suites of the distribution specification check them, with both digest algorithms."""

from __future__ import annotations

import os

import pytest

from .uploads import WAYS, begin, digest_by, post_put

pytestmark = pytest.mark.root
ALGORITHMS = ("sha256", "sha512")


@pytest.fixture(params=ALGORITHMS)
def algorithm(request):
    return request.param


def is_served(http, name, data, digest):
    head, got = http("HEAD", f"/v2/{name}/blobs/{digest}"), http("GET", f"/v2/{name}/blobs/{digest}")
    for answer in (head, got):
        assert answer.status == 200
        assert (answer.headers["Content-Length"], answer.headers["Docker-Content-Digest"]) == (str(len(data)), digest)
    return (head.data, got.data) == (b"", data)


def is_deleted_at_once(http, name, digest):
    assert http("DELETE", f"/v2/{name}/blobs/{digest}").status == 202
    return http("HEAD", f"/v2/{name}/blobs/{digest}").status == 404


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("data", [os.urandom(3067), b"{}"], ids=["random", "empty-json"])
def test_pushed_blob_is_served_until_it_is_deleted(registry, algorithm, way, data):
    digest = digest_by(algorithm, data)
    assert WAYS[way](registry, "conformance/one", data, digest) == 201
    assert is_served(registry, "conformance/one", data, digest)
    assert is_deleted_at_once(registry, "conformance/one", digest)


@pytest.mark.parametrize("way", ["post-only", "post-put", "stream"])
def test_empty_blob(registry, algorithm, way):
    digest = digest_by(algorithm, b"")
    assert WAYS[way](registry, "conformance/one", b"", digest) == 201
    assert is_served(registry, "conformance/one", b"", digest)


@pytest.mark.parametrize("way", WAYS)
def test_bytes_that_do_not_match_are_400(registry, algorithm, way):
    data = os.urandom(3067)
    wrong = digest_by(algorithm, b"other")
    assert WAYS[way](registry, "conformance/one", data, wrong) == 400
    assert registry("HEAD", f"/v2/conformance/one/blobs/{wrong}").status == 404


@pytest.mark.parametrize("source", ["&from=conformance/two", ""], ids=["from", "anonymous"])
def test_mount(registry, algorithm, source):
    data = os.urandom(512)
    digest = digest_by(algorithm, data)
    post_put(registry, "conformance/two", data, digest)
    answer = registry("POST", f"/v2/conformance/one/blobs/uploads/?mount={digest}{source}", b"")
    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, digest)
    assert registry("GET", answer.headers["Location"]).data == data
    assert is_served(registry, "conformance/one", data, digest)
    for name in ("conformance/one", "conformance/two"):
        assert is_deleted_at_once(registry, name, digest)


@pytest.mark.parametrize("source", ["&from=conformance/two", ""], ids=["from", "anonymous"])
def test_mount_of_what_is_not_here_opens_an_upload(registry, algorithm, source):
    data = os.urandom(512)
    digest = digest_by(algorithm, data)
    answer = registry("POST", f"/v2/conformance/one/blobs/uploads/?mount={digest}{source}", b"")
    assert answer.status == 202
    assert registry("PUT", f"{answer.headers['Location']}?digest={digest}", data).status == 201


def test_cancelled_upload_is_gone(registry):
    location = begin(registry, "conformance/one")
    assert registry("DELETE", location).status == 204
    assert registry("GET", location).status == 404


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("500-1499", 500, 1499), ("500-", 500, 2047), ("-500", 1548, 2047), ("2000-5000", 2000, 2047), ("0-0", 0, 0)],
)
def test_range_is_served_alone(registry, algorithm, asked, first, last):
    data = os.urandom(2048)
    digest = digest_by(algorithm, data)
    post_put(registry, "conformance/one", data, digest)
    answer = registry("GET", f"/v2/conformance/one/blobs/{digest}", Range=f"bytes={asked}")
    assert (answer.status, answer.data) == (206, data[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/2048"
    assert answer.headers["Content-Length"] == str(last + 1 - first)


@pytest.mark.parametrize("asked", ["500-0", "5000-10000"])
def test_range_that_cannot_be_is_416(registry, asked):
    digest = registry.push_blob("conformance/one", os.urandom(2048))
    assert registry("GET", f"/v2/conformance/one/blobs/{digest}", Range=f"bytes={asked}").status == 416


def test_blob_that_was_never_pushed_is_404(registry, algorithm):
    digest = digest_by(algorithm, os.urandom(9))
    for method in ("GET", "HEAD", "DELETE"):
        assert registry(method, f"/v2/conformance/one/blobs/{digest}").status == 404
