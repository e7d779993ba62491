"""Registries that break off, lie, limit and stall: what our client makes of each."""

from __future__ import annotations

import gzip
import threading
import time
from email.utils import formatdate

import msgspec
import pytest

from jubako.errors import DataLoss, InvalidArgument, NotFound, ResourceExhausted, Unavailable
from jubako.image.catalog import Images
from jubako.image.reference import parse
from jubako.registry.client import pull, push
from jubako.registry.client.transport import GivenUp, Transport
from jubako.spec.oci_image import INDEX, MANIFEST

from .images import nothing_is_left
from .peer import digest_of
from .scripted import Answer, scripted

pytestmark = pytest.mark.root


def test_blob_that_breaks_off_is_resumed_by_range(honest, fetch, image):
    def script(asked):
        answer = honest(asked)
        if len(answer.body) > 3_000_000:
            return answer._replace(body=answer.body[:3_000_000], length=len(answer.body))
        return answer

    with scripted(script) as server:
        assert fetch(server).id == image.id
        ranges = [asked.headers["Range"] for asked in server.asked if "Range" in asked.headers]
    assert ranges == ["bytes=3000000-", "bytes=6000000-", "bytes=9000000-"]


def test_blob_that_breaks_off_is_completed_by_a_registry_that_knows_no_ranges(honest, fetch, image):
    broken = []

    def script(asked):
        answer = honest(asked._replace(headers={}))
        if len(answer.body) > 3_000_000 and not broken:
            broken.append(asked)
            return answer._replace(body=answer.body[:3_000_000], length=len(answer.body))
        return answer

    with scripted(script) as server:
        assert fetch(server).id == image.id


def test_blob_that_never_arrives_whole_ends_the_pull(honest, fetch, other, options):
    def script(asked):
        answer = honest(asked._replace(headers={}))
        return answer._replace(body=answer.body[:1000], length=len(answer.body)) if "/blobs/" in asked.path else answer

    with scripted(script) as server, pytest.raises(Unavailable, match="keeps breaking off"):
        fetch(server)
    nothing_is_left(other)


def test_corrupt_blob_is_data_loss_and_leaves_nothing(honest, fetch, other):
    def script(asked):
        answer = honest(asked)
        return answer._replace(body=answer.body[:-1] + b"!") if len(answer.body) > 1_000_000 else answer

    with scripted(script) as server, pytest.raises(DataLoss, match="does not match its digest"):
        fetch(server)
    nothing_is_left(other)


@pytest.mark.parametrize("change", [lambda body: body + b"more", lambda body: body[:-1]])
def test_blob_of_another_size_is_data_loss(honest, fetch, other, change):
    def script(asked):
        answer = honest(asked)
        return answer._replace(body=change(answer.body)) if "/blobs/" in asked.path else answer

    with scripted(script) as server, pytest.raises(DataLoss, match="bytes"):
        fetch(server)
    nothing_is_left(other)


def test_missing_blob_is_not_found(honest, fetch, other):
    body = b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}'

    def script(asked):
        return Answer(404, body) if "/blobs/" in asked.path else honest(asked)

    with scripted(script) as server, pytest.raises(NotFound, match="blob unknown"):
        fetch(server)
    nothing_is_left(other)


def test_too_many_requests_waits_as_long_as_the_registry_says(honest, fetch, image, options, other):
    waits, refusals = [], []

    def script(asked):
        if "/manifests/" in asked.path and len(refusals) < 2:
            refusals.append(asked)
            return Answer(429, headers={"Retry-After": "7"})
        return honest(asked)

    patient = msgspec.structs.replace(options, sleep=waits.append)
    with scripted(script) as server:
        pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=patient)
    assert waits == [7.0, 7.0]


def test_retry_after_may_be_a_date(honest, fetch, image, options, other):
    waits, end = [], formatdate(time.time() + 3600, usegmt=True)
    refusals = [end, "Thu, 01 Jan 1970 00:00:00 GMT", "when we are back"]

    def script(asked):
        if "/manifests/" in asked.path and refusals:
            return Answer(503, headers={"Retry-After": refusals.pop(0)})
        return honest(asked)

    patient = msgspec.structs.replace(options, sleep=waits.append)
    with scripted(script) as server:
        pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=patient)
    assert waits[:2] == [60.0, 0.0]
    assert 0 < waits[2] < 2


def test_endless_refusals_end_with_the_registrys_words(fetch):
    body = b'{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit"}]}'
    with (
        scripted(lambda asked: Answer(429, body) if "/app/" in asked.path else Answer()) as server,
        pytest.raises(ResourceExhausted, match="toomanyrequests: You have reached your pull rate limit"),
    ):
        fetch(server)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_are_tried_again(honest, fetch, image, status):
    seen = set()

    def script(asked):
        if asked.path in seen or asked.path == "/v2/":
            return honest(asked)
        seen.add(asked.path)
        return Answer(status)

    with scripted(script) as server:
        assert fetch(server).id == image.id


def test_lasting_server_error_is_unavailable(fetch):
    with (
        scripted(lambda asked: Answer(503) if "/app/" in asked.path else Answer()) as server,
        pytest.raises(Unavailable, match="unexpected status 503"),
    ):
        fetch(server)
    assert server.count("/manifests/") == 6


@pytest.mark.parametrize("content_type", ["text/html", "application/octet-stream", ""])
def test_answer_of_another_content_type_is_no_manifest(fetch, content_type):
    answer = Answer(body=b"<html>", headers={"Content-Type": content_type} if content_type else {})
    with (
        scripted(lambda asked: answer if "/app/" in asked.path else Answer()) as server,
        pytest.raises(InvalidArgument, match="not a manifest"),
    ):
        fetch(server)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_an_image_of_schema_1_is_told_as_such(fetch, content_type):
    body = b'{"schemaVersion": 1, "name": "app", "tag": "v1", "fsLayers": [], "history": [], "signatures": []}'
    answer = Answer(body=body, headers={"Content-Type": content_type} if content_type else {})
    with (
        scripted(lambda asked: answer if "/app/" in asked.path else Answer()) as server,
        pytest.raises(InvalidArgument, match="manifest schema 1"),
    ):
        fetch(server)


def test_a_manifest_that_breaks_off_is_asked_for_again(honest, fetch, image):
    broken = []

    def script(asked):
        answer = honest(asked)
        if "/manifests/" in asked.path and len(broken) < 2:
            broken.append(asked)
            return answer._replace(body=answer.body[:50], length=len(answer.body))
        return answer

    with scripted(script) as server:
        assert fetch(server).id == image.id


def test_a_manifest_that_was_compressed_unasked_is_read(honest, fetch, image):
    def script(asked):
        answer = honest(asked)
        if "/manifests/" not in asked.path:
            return answer
        return Answer(body=gzip.compress(answer.body), headers={**answer.headers, "Content-Encoding": "gzip"})

    with scripted(script) as server:
        assert fetch(server).id == image.id


def test_a_compressed_bomb_is_cut_off(fetch, other):
    bomb = gzip.compress(bytes(64 << 20))

    def script(asked):
        headers = {"Content-Type": MANIFEST, "Content-Encoding": "gzip"}
        return Answer(body=bomb, headers=headers) if "/app/" in asked.path else Answer()

    with scripted(script) as server, pytest.raises(ResourceExhausted, match="larger than 4 MB"):
        fetch(server)
    nothing_is_left(other)


def test_cve_2021_41190_manifest_served_as_an_index_is_refused(honest, fetch, other):
    def script(asked):
        answer = honest(asked)
        return answer._replace(headers={"Content-Type": INDEX}) if "/manifests/" in asked.path else answer

    with scripted(script) as server, pytest.raises(InvalidArgument, match="served as"):
        fetch(server)
    nothing_is_left(other)


def test_endless_manifest_is_cut_off(fetch, other):
    def script(asked):
        if "/app/" not in asked.path:
            return Answer()
        return Answer(body=b" " * (6 << 20), headers={"Content-Type": MANIFEST}, length=1 << 40)

    with scripted(script) as server, pytest.raises(ResourceExhausted, match="larger than 4 MB"):
        fetch(server)
    nothing_is_left(other)


def test_manifest_that_is_not_what_its_digest_header_says_is_data_loss(honest, fetch, other):
    def script(asked):
        answer = honest(asked)
        headers = {**answer.headers, "Docker-Content-Digest": digest_of(b"other")}
        return answer._replace(headers=headers) if "/manifests/" in asked.path else answer

    with scripted(script) as server, pytest.raises(DataLoss, match="does not match its digest"):
        fetch(server)
    nothing_is_left(other)


def test_manifest_that_is_not_what_was_asked_for_by_digest_is_data_loss(honest, other, options):
    with scripted(honest) as server:
        ref = parse(f"{server.domain}/app@{digest_of(b'other')}")
        with pytest.raises(DataLoss, match="does not match its digest"):
            pull(other, Images(other), ref, options=options)
        # As it stands: some proxies before registries know no %3A.
        assert server.asked[0].path == f"/v2/app/manifests/{ref.digest}"


def test_text_from_a_registry_cannot_drive_the_terminal(fetch):
    body = b'{"errors":[{"code":"DENIED","message":"\\u001b[2Jgone' + b"x" * 5000 + b'"}]}'
    with (
        scripted(lambda asked: Answer(400, body) if "/app/" in asked.path else Answer()) as server,
        pytest.raises(InvalidArgument) as caught,
    ):
        fetch(server)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 500


def test_upload_starts_again_when_the_registry_fails(store, image, options):
    failures = []

    def script(asked):
        if asked.method == "HEAD":
            return Answer(404)
        if asked.method == "POST":
            return Answer(202, headers={"Location": "/v2/app/blobs/uploads/1?state=x"})
        if "/uploads/" in asked.path and len(failures) < 2:
            failures.append(asked.path)
            return Answer(503)
        return Answer(201)

    with scripted(script) as server:
        push(store, image, parse(f"{server.domain}/app:v1"), options=options)
        puts = [asked.path for asked in server.asked if asked.method == "PUT" and "/uploads/" in asked.path]
    assert len(puts) == 5
    assert all("?state=x&digest=sha256%3A" in path for path in puts)


def test_refused_upload_is_told_once(store, image, options):
    body = b'{"errors":[{"code":"DENIED","message":"read only"}]}'

    def script(asked):
        return Answer(403, body) if asked.method == "POST" else Answer(404)

    with scripted(script) as server, pytest.raises(Exception, match="denied: read only"):
        push(store, image, parse(f"{server.domain}/app:v1"), options=options)


def test_an_answer_that_comes_after_the_transfer_was_given_up_is_not_waited_for(honest, options):
    with scripted(honest) as server:
        transport = Transport(options)
        transport.open("GET", f"http://{server.domain}/v2/", headers={}).close()
        transport.abort()
        with pytest.raises(GivenUp):
            transport.open("GET", f"http://{server.domain}/v2/", headers={})
        transport.close()


def test_failure_of_one_layer_does_not_wait_for_another_that_stalls(honest, fetch, image, other):
    stalled = threading.Event()
    release = threading.Event()
    large, small = image.manifest.layers

    def script(asked):
        if asked.path.endswith(large.digest):
            stalled.set()
            return honest(asked)._replace(body=b"x" * 1000, length=large.size, stall=release)
        if asked.path.endswith(small.digest):
            stalled.wait(5)
            return Answer(404)
        return honest(asked)

    with scripted(script) as server:
        began = time.monotonic()
        with pytest.raises(NotFound):
            fetch(server)
        release.set()
    assert time.monotonic() - began < 10
    nothing_is_left(other)
