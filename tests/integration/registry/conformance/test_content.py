"""Manifests, tags, referrers and deletion as conformance suites of the distribution specification check them."""

from __future__ import annotations

import json
import os

import pytest

from jubako.spec.oci_image import INDEX, MANIFEST

from ..peer import digest_of
from .content import KINDS, Content, make
from .uploads import digest_by, post_put

pytestmark = pytest.mark.root
NAME = "conformance/content"
ACCEPT = f"{INDEX}, {MANIFEST}"


def put(http, reference, data):
    return http("PUT", f"/v2/{NAME}/manifests/{reference}", data, Content_Type=json.loads(data)["mediaType"])


def push(http, content: Content):
    for digest, data in content.blobs.items():
        assert post_put(http, NAME, data, digest) == 201
    for digest, data in content.manifests.items():
        answer = put(http, digest, data)
        assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, digest)
        assert answer.headers.get("OCI-Subject") == json.loads(data).get("subject", {}).get("digest")
        assert http("GET", answer.headers["Location"], Accept=ACCEPT).data == data


def push_tags(http, content):
    for tag, digest in content.tags.items():
        assert put(http, tag, content.manifests[digest]).status == 201


def pulled(http, reference, digest, data):
    head = http("HEAD", f"/v2/{NAME}/manifests/{reference}", Accept=ACCEPT)
    got = http("GET", f"/v2/{NAME}/manifests/{reference}", Accept=ACCEPT)
    for answer in (head, got):
        assert answer.status == 200
        assert answer.headers["Content-Type"] == json.loads(data)["mediaType"]
        assert answer.headers["Content-Length"] == str(len(data))
        assert answer.headers["Docker-Content-Digest"] == digest
    return (head.data, got.data) == (b"", data)


def listed(http, query=""):
    answer = http("GET", f"/v2/{NAME}/tags/list{query}")
    assert answer.status == 200
    return answer.json()["tags"]


def referrers(http, subject, query=""):
    answer = http("GET", f"/v2/{NAME}/referrers/{subject}{query}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, INDEX)
    document = answer.json()
    assert (document["schemaVersion"], document["mediaType"]) == (2, INDEX)
    return document["manifests"], answer.headers.get("OCI-Filters-Applied")


def by_digest(descriptors):
    return sorted(descriptors, key=lambda descriptor: descriptor["digest"])


@pytest.mark.parametrize("kind", KINDS)
def test_content_goes_in_comes_out_and_goes_away(registry, kind):
    content = make(kind)
    push(registry, content)
    push_tags(registry, content)
    assert set(content.tags) <= set(listed(registry))
    for tag, digest in content.tags.items():
        assert pulled(registry, tag, digest, content.manifests[digest])
    for digest, data in content.manifests.items():
        assert pulled(registry, digest, digest, data)
    for subject, wanted in content.referrers.items():
        assert referrers(registry, subject) == (by_digest(wanted), None)
        for kind_of in {descriptor["artifactType"] for descriptor in wanted}:
            found, applied = referrers(registry, subject, f"?artifactType={kind_of}")
            assert applied == "artifactType"
            assert found == by_digest([one for one in wanted if one["artifactType"] == kind_of])
    delete(registry, content)


def delete(http, content):
    for reference in (*content.tags, *reversed(content.manifests)):
        assert http("DELETE", f"/v2/{NAME}/manifests/{reference}").status == 202
        assert http("HEAD", f"/v2/{NAME}/manifests/{reference}").status == 404
    for digest in content.blobs:
        assert http("DELETE", f"/v2/{NAME}/blobs/{digest}").status == 202
        assert http("HEAD", f"/v2/{NAME}/blobs/{digest}").status == 404


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_tags_by_parameter(registry, algorithm):
    content = make("index", algorithm)
    push(registry, content)
    digest, data = list(content.manifests.items())[-1]
    answer = registry("PUT", f"/v2/{NAME}/manifests/{digest}?tag=one&tag=two", data, Content_Type=INDEX)
    assert (answer.status, answer.headers.getlist("OCI-Tag")) == (201, ["one", "two"])
    assert all(pulled(registry, tag, digest, data) for tag in ("one", "two"))
    bad = registry("PUT", f"/v2/{NAME}/manifests/{digest}?tag=-no", data, Content_Type=INDEX)
    assert (bad.status, registry.code(bad)) == (400, "TAG_INVALID")


def test_tags_come_in_ascii_order_and_after_the_last(registry):
    content = make("image")
    push(registry, content)
    names = ["b", "A", "a", "B", "_", "v1.10", "v1.9"]
    content.tags = dict.fromkeys(names, content.tags["image"])
    push_tags(registry, content)
    assert listed(registry) == sorted(names)
    assert listed(registry, "?last=B") == [name for name in sorted(names) if name > "B"]
    assert listed(registry, "?n=2") == sorted(names)[:2]
    assert listed(registry, "?n=0") == []
    page = registry("GET", f"/v2/{NAME}/tags/list?n=3")
    following = page.headers["Link"].partition(">")[0].removeprefix("<")
    assert registry("GET", following).json()["tags"] == sorted(names)[3:6]


def test_empty_registry_lists_no_tags_and_no_referrers(registry):
    assert registry("GET", f"/v2/{NAME}/tags/list").status == 404
    assert referrers(registry, digest_of(os.urandom(9))) == ([], None)


def test_manifest_whose_bytes_do_not_match_is_400(registry):
    content = make("image")
    push(registry, content)
    digest, data = list(content.manifests.items())[-1]
    for reference in (digest, "sha256:baddigeststring", digest_by("sha512", data)):
        assert put(registry, reference, data + b"  ").status == 400
    assert registry("GET", f"/v2/{NAME}/manifests/sha256:baddigeststring").status == 400


def test_missing_manifest_is_404(registry):
    for reference in (digest_of(b"nothing"), "missing"):
        answer = registry("GET", f"/v2/{NAME}/manifests/{reference}", Accept=ACCEPT)
        assert (answer.status, registry.code(answer)) == (404, "MANIFEST_UNKNOWN")


def test_client_from_before_indexes_gets_the_image_for_linux_amd64(registry):
    content = make("index")
    push(registry, content)
    push_tags(registry, content)
    first = next(iter(content.manifests))
    answer = registry("GET", f"/v2/{NAME}/manifests/index", Accept=MANIFEST)
    assert (answer.headers["Docker-Content-Digest"], answer.headers["Content-Type"]) == (first, MANIFEST)
    for accept in ("*/*", f"{MANIFEST}, {INDEX};q=0.5", "text/html"):
        assert registry("GET", f"/v2/{NAME}/manifests/index", Accept=accept).headers["Content-Type"] == INDEX
