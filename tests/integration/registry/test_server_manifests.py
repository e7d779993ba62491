"""Manifests, tags, referrers and lists over HTTP."""

from __future__ import annotations

import json
import threading

import pytest

from jubako.registry.server.collect import collect
from jubako.spec.oci_image import CONFIG, DOCKER_CONFIG, DOCKER_MANIFEST, INDEX, LAYER_GZIP, MANIFEST

from .peer import digest_of

pytestmark = pytest.mark.root


@pytest.fixture
def push(registry):
    """Pushes a manifest of one config and one layer, told apart by `text`; returns its bytes and its digest."""

    def push(name, reference, text="x", media_type=MANIFEST, config_type=CONFIG, **fields):
        data = manifest(registry, name, text, media_type, config_type, **fields)
        answer = registry("PUT", f"/v2/{name}/manifests/{reference}", data, Content_Type=media_type)
        assert answer.status == 201, answer.data
        assert answer.headers["Docker-Content-Digest"] == digest_of(data)
        return data, digest_of(data), answer

    return push


def manifest(registry, name, text, media_type=MANIFEST, config_type=CONFIG, **fields):
    config, layer = f"config {text}".encode(), f"layer {text}".encode()
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": config_type, "digest": registry.push_blob(name, config), "size": len(config)},
        "layers": [{"mediaType": LAYER_GZIP, "digest": registry.push_blob(name, layer), "size": len(layer)}],
        **fields,
    }
    return json.dumps(document, indent=3).encode()


def descriptor(data, media_type=MANIFEST):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


@pytest.mark.parametrize(("media_type", "config"), [(MANIFEST, CONFIG), (DOCKER_MANIFEST, DOCKER_CONFIG)])
def test_manifest_comes_back_byte_for_byte_with_its_type(registry, push, media_type, config):
    data, digest, _ = push("a/b", "v1", media_type=media_type, config_type=config)
    for reference in ("v1", digest):
        got = registry("GET", f"/v2/a/b/manifests/{reference}")
        assert (got.data, got.headers["Content-Type"], got.headers["Docker-Content-Digest"]) == (
            data,
            media_type,
            digest,
        )
        head = registry("HEAD", f"/v2/a/b/manifests/{reference}")
        assert (head.status, head.headers["Content-Length"], head.data) == (200, str(len(data)), b"")


def test_not_modified_when_the_client_has_it(registry, push):
    _, digest, _ = push("a", "v1")
    for known in (f'"{digest}"', digest, f'W/"{digest}"', f'"another", "{digest}"', "*"):
        for method in ("GET", "HEAD"):
            answer = registry(method, "/v2/a/manifests/v1", If_None_Match=known)
            assert (answer.status, answer.data, answer.headers["ETag"]) == (304, b"", f'"{digest}"')
    assert registry("GET", "/v2/a/manifests/v1", If_None_Match='"another"').status == 200


def test_unknown_manifest_and_repository(registry, push):
    answer = registry("GET", "/v2/a/manifests/nothing")
    assert (answer.status, registry.code(answer)) == (404, "MANIFEST_UNKNOWN")
    assert answer.json()["errors"][0]["message"] == "manifest unknown"
    answer = registry("GET", "/v2/a/tags/list")
    assert (answer.status, registry.code(answer)) == (404, "NAME_UNKNOWN")


def test_manifest_that_names_unknown_content_is_refused(registry):
    data = manifest(registry, "elsewhere", "x")
    answer = registry("PUT", "/v2/a/manifests/v1", data, Content_Type=MANIFEST)
    assert (answer.status, registry.code(answer)) == (404, "MANIFEST_BLOB_UNKNOWN")
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(data)]}).encode()
    answer = registry("PUT", "/v2/a/manifests/v1", index, Content_Type=INDEX)
    assert (answer.status, registry.code(answer)) == (404, "MANIFEST_BLOB_UNKNOWN")


def test_an_index_of_layers_is_taken_and_keeps_them_from_collection(registry, registry_root):
    """As BuildKit writes its caches."""
    layer = descriptor(b"a layer", LAYER_GZIP)
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [layer]}).encode()
    answer = registry("PUT", "/v2/a/manifests/cache", index, Content_Type=INDEX)
    assert (answer.status, registry.code(answer)) == (404, "MANIFEST_BLOB_UNKNOWN")
    registry.push_blob("a", b"a layer")
    assert registry("PUT", "/v2/a/manifests/cache", index, Content_Type=INDEX).status == 201
    assert collect(registry_root, grace_s=-1).blobs == 0
    assert registry("GET", f"/v2/a/blobs/{layer['digest']}").data == b"a layer"


def test_foreign_layers_need_not_be_here(registry, push):
    foreign = {**descriptor(b"far away", LAYER_GZIP), "urls": ["https://example.invalid/layer"]}
    push("a", "v1", layers=[foreign])


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"not json", MANIFEST),
        (b"{}", MANIFEST),
        (b"[" * 100_000, MANIFEST),
        (b'{"schemaVersion": 2, "mediaType": "%s", "manifests": []}' % INDEX.encode(), MANIFEST),
        (b'{"schemaVersion": 2, "manifests": [], "layers": [], "config": {}}', INDEX),
        (b'{"schemaVersion": 2, "manifests": []}', "application/json"),
        (b'{"schemaVersion": 1}', "application/vnd.docker.distribution.manifest.v1+json"),
    ],
)
def test_malformed_and_confused_manifests_are_refused(registry, data, media_type):
    answer = registry("PUT", "/v2/a/manifests/v1", data, Content_Type=media_type)
    assert (answer.status, registry.code(answer)) == (400, "MANIFEST_INVALID")


def test_manifest_of_4_mb_is_accepted_and_a_larger_one_is_413(registry, push):
    data, _, _ = push("a", "big", annotations={"filler": "x" * 4_150_000})
    assert len(data) > 4_000_000
    assert registry("GET", "/v2/a/manifests/big").data == data
    answer = registry("PUT", "/v2/a/manifests/v1", b" " * 5_000_000, Content_Type=MANIFEST)
    assert (answer.status, registry.code(answer)) == (413, "MANIFEST_INVALID")


def test_digest_reference_must_match_the_body(registry):
    data = manifest(registry, "a", "x")
    answer = registry("PUT", f"/v2/a/manifests/{digest_of(b'other')}", data, Content_Type=MANIFEST)
    assert (answer.status, registry.code(answer)) == (400, "DIGEST_INVALID")


def test_tag_can_be_moved_and_deleted_while_the_manifest_stays(registry, push):
    _, first, _ = push("a", "v1", "one")
    second, _, _ = push("a", "v1", "two")
    assert registry("GET", "/v2/a/manifests/v1").data == second
    assert registry("DELETE", "/v2/a/manifests/v1").status == 202
    assert registry("GET", "/v2/a/manifests/v1").status == 404
    assert registry("GET", f"/v2/a/manifests/{first}").status == 200


def test_deleting_a_manifest_takes_its_tags(registry, push):
    _, digest, _ = push("a", "v1")
    push("a", "v2")
    assert registry("DELETE", f"/v2/a/manifests/{digest}").status == 202
    assert registry("GET", "/v2/a/tags/list").json() == {"name": "a", "tags": []}
    assert registry("DELETE", f"/v2/a/manifests/{digest}").status == 404


def test_tags_in_pages(registry, push):
    for tag in ("b", "a", "C", "d"):
        push("a/b", tag)
    assert registry("GET", "/v2/a/b/tags/list").json() == {"name": "a/b", "tags": ["C", "a", "b", "d"]}
    first = registry("GET", "/v2/a/b/tags/list?n=2")
    assert first.json()["tags"] == ["C", "a"]
    link = first.headers["Link"]
    assert link.endswith('>; rel="next"')
    second = registry("GET", link[1 : link.index(">")])
    assert second.json()["tags"] == ["b", "d"]
    assert "Link" not in second.headers
    assert registry("GET", "/v2/a/b/tags/list?n=0").json()["tags"] == []
    assert registry("GET", "/v2/a/b/tags/list?n=-1").status == 400


def test_catalog_in_pages(registry, push):
    for name in ("b", "a/x", "c"):
        push(name, "v1")
    assert registry("GET", "/v2/_catalog").json() == {"repositories": ["a/x", "b", "c"]}
    assert registry("GET", "/v2/_catalog?n=1&last=a/x").json() == {"repositories": ["b"]}


def test_index_is_stored_when_its_children_are_here(registry, push):
    child, _, _ = push("a", "child")
    index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor(child)]}).encode()
    assert registry("PUT", "/v2/a/manifests/all", index, Content_Type=INDEX).status == 201
    assert registry("GET", "/v2/a/manifests/all").data == index


def test_referrers_are_listed_filtered_and_forgotten(registry, push):
    subject, digest, _ = push("a", "v1")
    signature, signed_by, answer = push(
        "a", "sig", "sig", subject=descriptor(subject), artifactType="test/sig", annotations={"k": "v"}
    )
    assert answer.headers["OCI-Subject"] == digest
    push("a", "sbom", "sbom", subject=descriptor(subject), config_type="test/sbom")
    found = registry("GET", f"/v2/a/referrers/{digest}")
    assert found.headers["Content-Type"] == INDEX
    assert {m["artifactType"] for m in found.json()["manifests"]} == {"test/sig", "test/sbom"}
    filtered = registry("GET", f"/v2/a/referrers/{digest}?artifactType=test/sig")
    assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
    assert filtered.json()["manifests"] == [
        {**descriptor(signature), "artifactType": "test/sig", "annotations": {"k": "v"}}
    ]
    registry("DELETE", f"/v2/a/manifests/{signed_by}")
    assert registry("GET", f"/v2/a/referrers/{digest}?artifactType=test/sig").json()["manifests"] == []
    assert registry("GET", f"/v2/a/referrers/{digest_of(b'unknown')}").json()["manifests"] == []


def test_concurrent_pushes_of_one_tag_end_in_one_of_them(registry):
    documents = [manifest(registry, "a", str(number)) for number in range(8)]
    statuses = []

    def push(data):
        statuses.append(registry("PUT", "/v2/a/manifests/v1", data, Content_Type=MANIFEST).status)

    threads = [threading.Thread(target=push, args=(data,)) for data in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 8
    assert registry("GET", "/v2/a/manifests/v1").data in documents
