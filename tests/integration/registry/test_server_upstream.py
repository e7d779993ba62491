"""Copies of an upstream's repositories: fetched when wanted, served while the upstream is away, never corrupt."""

from __future__ import annotations

import os
import threading

import bcrypt
import pytest
import urllib3

from jubako.image.catalog import Images
from jubako.registry.client import Credentials, pull, push
from jubako.registry.server import configured

from .images import make_image
from .peer import digest_of, served
from .scripted import Answer, scripted

pytestmark = pytest.mark.root


@pytest.fixture
def users(tmp_path):
    path = tmp_path / "users"
    path.write_text(f"ann:{bcrypt.hashpw(b'secret', bcrypt.gensalt(4)).decode()}\n")
    (tmp_path / "password").write_text("secret\n")
    return path


@pytest.fixture
def upstream(tmp_path, users):
    """A registry that wants a password, with tokens."""
    with served(configured(tmp_path / "up", "127.0.0.1:0", htpasswd=users, token_auth=True, drain_s=5)) as http:
        yield http


@pytest.fixture
def image(upstream, store, options):
    image = make_image(store, "app", os.urandom(5_000_000), b"small")
    push(store, image, upstream.reference("team/app:v1"), credentials=Credentials("ann", "secret"), options=options)
    return image


def section(upstream, tmp_path, more=""):
    return (
        f"upstreams: [{{prefix: hub, url: '{upstream.base}', username: ann, "
        f"password_file: {tmp_path}/password{more}}}]\n"
    )


@pytest.fixture
def copies(serve_file, upstream, tmp_path):
    with serve_file(section(upstream, tmp_path, ", tag_lifetime: 0s")) as http:
        yield http


def test_image_is_pulled_through_and_stays(copies, upstream, image, other, options, tmp_path, serve_file):
    pull(other, Images(other), copies.reference("hub/team/app:v1"), options=options)
    assert Images(other).resolve(str(copies.reference("hub/team/app:v1"))).manifest_digest == image.manifest_digest
    assert copies("GET", "/v2/hub/team/app/tags/list").json() == {"name": "hub/team/app", "tags": ["v1"]}


def test_copy_is_served_while_the_upstream_is_away(serve_file, tmp_path, users, store, other, options):
    root = configured(tmp_path / "up", "127.0.0.1:0", htpasswd=users, drain_s=5)
    with served(root) as upstream:
        image = make_image(store, "app", b"one")
        credentials = Credentials("ann", "secret")
        push(store, image, upstream.reference("team/app:v1"), credentials=credentials, options=options)
        text = section(upstream, tmp_path, ", tag_lifetime: 0s")
        with serve_file(text) as copies:
            pull(other, Images(other), copies.reference("hub/team/app:v1"), options=options)
    with serve_file(text) as copies:
        assert copies("GET", "/v2/hub/team/app/manifests/v1").status == 200
        assert copies("GET", f"/v2/hub/team/app/blobs/{image.manifest.layers[0].digest}").status == 200
        assert copies("GET", "/v2/hub/team/app/tags/list").json()["tags"] == ["v1"]
        missing = copies("GET", "/v2/hub/team/other/manifests/v1")
        assert missing.status == 503


def test_copy_is_served_while_the_upstream_has_been_asked_too_often(serve_file, store, honest):
    statuses = []

    def answer(asked):
        return Answer(statuses[0], headers={"Retry-After": "0"}) if statuses else honest(asked)

    with (
        scripted(answer) as upstream,
        serve_file(f"upstreams: [{{prefix: hub, url: 'http://{upstream.domain}', tag_lifetime: 0s}}]\n") as copies,
    ):
        for status in ([], [429], [503]):
            statuses[:] = status
            assert copies("GET", "/v2/hub/app/manifests/v1").status == 200


def test_tag_that_moved_upstream_moves_here(copies, upstream, image, store, options):
    assert copies("HEAD", "/v2/hub/team/app/manifests/v1").headers["Docker-Content-Digest"] == image.manifest_digest
    newer = make_image(store, "new", b"newer")
    push(store, newer, upstream.reference("team/app:v1"), credentials=Credentials("ann", "secret"), options=options)
    assert copies("HEAD", "/v2/hub/team/app/manifests/v1").headers["Docker-Content-Digest"] == newer.manifest_digest


def test_ranges_heads_and_unknown_things(copies, image, store):
    digest = image.manifest.layers[0].digest
    data = store.blobs.read(digest, limit=1 << 30)
    head = copies("HEAD", f"/v2/hub/team/app/blobs/{digest}")
    assert (head.status, head.headers["Content-Length"]) == (200, str(len(data)))
    answer = copies("GET", f"/v2/hub/team/app/blobs/{digest}", Range="bytes=1000000-1000009")
    assert (answer.status, answer.data) == (206, data[1_000_000:1_000_010])
    assert copies("GET", f"/v2/hub/team/app/blobs/{digest_of(b'no')}").status == 404
    assert copies("GET", "/v2/hub/team/app/manifests/none").status == 404


def test_nothing_is_pushed_to_a_copy(copies):
    refused = copies("POST", "/v2/hub/team/app/blobs/uploads/")
    assert (refused.status, copies.code(refused)) == (405, "UNSUPPORTED")
    assert copies("POST", "/v2/hubbub/app/blobs/uploads/").status == 202


def test_many_at_once_are_one_download(serve_file, tmp_path):
    data = os.urandom(3_000_000)
    digest = digest_of(data)
    asked, gate = [], threading.Event()

    def answer(request):
        if "/blobs/" in request.path:
            asked.append(request.path)
            gate.wait(10)
        return Answer(body=data if "/blobs/" in request.path else b"")

    (tmp_path / "password").write_text("x")
    with (
        scripted(answer) as upstream,
        serve_file(f"upstreams: [{{prefix: hub, url: 'http://{upstream.domain}'}}]\n") as copies,
    ):
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(copies("GET", f"/v2/hub/app/blobs/{digest}").data))
            for _ in range(5)
        ]
        for thread in threads:
            thread.start()
        gate.set()
        for thread in threads:
            thread.join()
        assert found == [data] * 5
        assert len(asked) == 1


def test_wrong_bytes_break_off_and_are_not_kept(serve_file, registry_root):
    data = os.urandom(2_000_000)
    wanted = digest_of(data)

    def answer(request):
        return Answer(body=data[:-1] + b"x" if "/blobs/" in request.path else b"")

    with (
        scripted(answer) as upstream,
        serve_file(f"upstreams: [{{prefix: hub, url: 'http://{upstream.domain}'}}]\n") as copies,
        pytest.raises(urllib3.exceptions.HTTPError),
    ):
        copies("GET", f"/v2/hub/app/blobs/{wanted}")
    assert not list((registry_root / "blobs" / "sha256").iterdir())
    assert not list((registry_root / "ingest").iterdir())


def test_blob_that_the_quota_has_no_room_for_is_passed_on_and_not_kept(serve_file):
    data = os.urandom(2_000_000)
    sections = "repositories: [{match: ['hub/**'], quota: 1kB}]\n"
    with (
        scripted(lambda asked: Answer(body=data if "/blobs/" in asked.path else b"")) as upstream,
        serve_file(f"{sections}upstreams: [{{prefix: hub, url: 'http://{upstream.domain}'}}]\n") as copies,
    ):
        for count in (1, 2):
            assert copies("GET", f"/v2/hub/app/blobs/{digest_of(data)}").data == data
            assert upstream.count("/blobs/") == count
