"""Quotas, tags that must stay, retention, sparse manifests, and collection by the server itself."""

from __future__ import annotations

import json
import os

import pytest
from tests.waiting import until

from jubako.registry.client import push
from jubako.registry.server.collect import collect
from jubako.registry.server.state import State
from jubako.registry.server.usage import used
from jubako.spec.oci_image import CONFIG, INDEX, MANIFEST

from .images import make_image
from .peer import digest_of

pytestmark = pytest.mark.root


def upload(registry, name, data):
    return registry("POST", f"/v2/{name}/blobs/uploads/?digest={digest_of(data)}", data)


def manifest(registry, name, tag, text):
    config = registry.push_blob(name, text)
    described = {"mediaType": CONFIG, "digest": config, "size": len(text)}
    data = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}).encode()
    return registry("PUT", f"/v2/{name}/manifests/{tag}", data, Content_Type=MANIFEST), data


QUOTA = "repositories: [{match: ['small/*'], quota: 100kB}]\n"


def test_quota_is_for_each_repository_and_space_comes_back(serve_file, registry_root):
    with serve_file(QUOTA) as registry:
        first, second = os.urandom(60_000), os.urandom(60_000)
        assert upload(registry, "small/a", first).status == 201
        refused = upload(registry, "small/a", second)
        assert (refused.status, registry.code(refused)) == (403, "DENIED")
        assert upload(registry, "small/b", second).status == 201
        mounted = registry("POST", f"/v2/small/a/blobs/uploads/?mount={digest_of(second)}&from=small/b")
        assert (mounted.status, registry.code(mounted)) == (403, "DENIED")
        assert upload(registry, "small/a", first).status == 201
        assert registry("DELETE", f"/v2/small/a/blobs/{digest_of(first)}").status == 202
        assert upload(registry, "small/a", second).status == 201


def test_upload_over_the_quota_is_refused_while_it_comes(serve_file, registry_root):
    with serve_file(QUOTA) as registry:
        location = registry("POST", "/v2/small/a/blobs/uploads/").headers["Location"]
        assert registry("PATCH", location, os.urandom(70_000)).status == 202
        assert registry("PATCH", location, os.urandom(70_000)).status == 403
        assert registry("GET", location).headers["Range"] == "0-69999"


def test_usage_is_what_the_repository_holds(registry, registry_root, store, options):
    for number, tag in enumerate(("v1", "v2")):
        push(store, make_image(store, "x", b"shared", bytes([number])), registry.reference(f"a:{tag}"), options=options)
    registry("DELETE", "/v2/a/manifests/v1")
    collect(registry_root, grace_s=-1, untagged=True)
    state = State(registry_root)
    held = [link.size for _, link in state.read.blobs.items("a@")]
    held += [entry.size for _, entry in state.read.manifests.items("a@")]
    assert used(state, "a") == sum(held) > 0
    state.close()


def test_blob_limit(serve_file):
    with serve_file("limits: {blob: 1kB}\n") as registry:
        assert upload(registry, "a", b"x" * 1000).status == 201
        refused = upload(registry, "a", b"x" * 1001)
        assert (refused.status, registry.code(refused)) == (413, "SIZE_INVALID")


def test_immutable_tag_stays_what_it_is(serve_file):
    with serve_file("repositories: [{match: ['prod/**'], immutable_tags: ['v*']}]\n") as registry:
        answer, data = manifest(registry, "prod/a", "v1", b"one")
        assert answer.status == 201
        digest = answer.headers["Docker-Content-Digest"]
        assert registry("PUT", "/v2/prod/a/manifests/v1", data, Content_Type=MANIFEST).status == 201
        refused, _ = manifest(registry, "prod/a", "v1", b"two")
        assert (refused.status, registry.code(refused)) == (409, "DENIED")
        for reference in ("v1", digest):
            assert registry("DELETE", f"/v2/prod/a/manifests/{reference}").status == 409
        assert registry("HEAD", "/v2/prod/a/manifests/v1").headers["Docker-Content-Digest"] == digest
        for text in (b"one", b"two"):
            assert manifest(registry, "prod/a", "latest", text)[0].status == 201
        assert manifest(registry, "dev/a", "v1", b"one")[0].status == 201
        assert manifest(registry, "dev/a", "v1", b"two")[0].status == 201


def test_sparse_index_where_that_is_allowed(serve_file):
    absent = {"mediaType": MANIFEST, "digest": digest_of(b"absent"), "size": 6}
    data = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [absent]}).encode()
    for allowed, status in (("true", 201), ("false", 404)):
        with serve_file(f"sparse_manifests: {allowed}\n") as registry:
            answer = registry("PUT", "/v2/a/manifests/v1", data, Content_Type=INDEX)
            assert answer.status == status
            assert status == 201 or registry.code(answer) == "MANIFEST_BLOB_UNKNOWN"


def test_server_retains_and_collects_by_itself(serve_file, registry_root):
    with serve_file("") as registry:
        for tag in ("a", "b", "c"):
            manifest(registry, "x", tag, tag.encode())
    rules = "repositories: [{match: ['x'], retention: [{newest: 1}]}]\n"
    with serve_file(rules + "collection: {every: 100ms, grace: 0s, delete_untagged: true}\n") as registry:
        until(lambda: len(list((registry_root / "blobs" / "sha256").iterdir())) == 2)
        assert registry("GET", "/v2/x/tags/list").json()["tags"] == ["c"]
        assert registry("GET", "/v2/x/manifests/c").status == 200
