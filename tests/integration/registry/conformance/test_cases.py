"""Every case of the specification's conformance suite as of its release 1.1, by its name there, against our registry.

The suite's workflows are pull, push, content discovery and content management; none is optional here. What its later
form adds (kinds of content, ways to push, ranges, sha512) is in test_blobs.py and test_content.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import pytest
from tests.integration.registry.peer import Http, Serve

from jubako.spec.distribution import Code
from jubako.spec.oci_image import INDEX, MANIFEST

from .content import EXAMPLE, Content
from .uploads import begin, post_put, with_digest

pytestmark = pytest.mark.root
NAME, OTHER = "suite/one", "suite/two"
ABSENT = "sha256:" + "f0" * 32
Case = Callable[["World"], object]


class World:
    """A registry with one image and its tags, two artifacts that refer to it, and one that refers to nothing."""

    def __init__(self, http: Http) -> None:
        self.http = http
        self.content = Content()
        image = self.content.image()
        self.config, self.layer = list(self.content.blobs)[-1], next(iter(self.content.blobs))
        self.manifest = image["digest"]
        for kind in ("a", "b"):
            self.content.artifact(subject=image, annotations={"of": kind})
        self.content.image(subject=image, annotations={"of": "c"})
        self.absent_subject = {"mediaType": MANIFEST, "digest": ABSENT, "size": 9}
        self.content.artifact(subject=self.absent_subject)
        for digest, data in self.content.blobs.items():
            assert post_put(http, NAME, data, digest) == 201
        for digest, data in self.content.manifests.items():
            answer = self.put(digest, data)
            assert answer.status == 201
            subject = json.loads(data).get("subject", {}).get("digest")
            assert answer.headers.get("OCI-Subject") == subject
        for number in range(4):
            assert self.put(f"test{number}", self.content.manifests[self.manifest]).status == 201

    def put(self, reference: str, data: bytes):
        return self.http("PUT", f"/v2/{NAME}/manifests/{reference}", data, Content_Type=MANIFEST)

    def ask(self, method: str, path: str, status: int):
        answer = self.http(method, f"/v2/{NAME}/{path}", Accept=MANIFEST)
        assert answer.status == status
        return answer

    def names(self, path: str, digest: str, method: str = "HEAD") -> None:
        assert self.ask(method, path, 200).headers["Docker-Content-Digest"] == digest

    def tags(self, query: str = "") -> list[str]:
        return self.ask("GET", f"tags/list{query}", 200).json()["tags"]

    def referrers(self, digest: str, query: str = ""):
        answer = self.ask("GET", f"referrers/{digest}{query}", 200)
        assert answer.headers["Content-Type"] == INDEX
        return answer, answer.json()["manifests"]


def bad_manifest(world: World) -> None:
    answer = world.put("sha256:totallywrong", b'{"blablabla": "hello"}')
    assert answer.status == 400
    assert world.http.code(answer) in {code.value for code in Code}


PULL: dict[str, Case] = {
    "HEAD request to nonexistent blob should result in 404": lambda w: w.ask("HEAD", f"blobs/{ABSENT}", 404),
    "HEAD request to existing blob should yield 200": lambda w: w.names(f"blobs/{w.config}", w.config),
    "GET nonexistent blob should result in 404": lambda w: w.ask("GET", f"blobs/{ABSENT}", 404),
    "GET request to existing blob URL should yield 200": lambda w: w.names(f"blobs/{w.config}", w.config, "GET"),
    "HEAD request to nonexistent manifest should return 404": lambda w: w.ask(
        "HEAD", "manifests/.INVALID_MANIFEST_NAME", 404
    ),
    "HEAD request to manifest[0] path (digest)": lambda w: w.names(f"manifests/{w.manifest}", w.manifest),
    "HEAD request to manifest path (tag)": lambda w: w.names("manifests/test0", w.manifest),
    "GET nonexistent manifest should return 404": lambda w: w.ask("GET", "manifests/.INVALID_MANIFEST_NAME", 404),
    "GET request to manifest path (digest)": lambda w: w.names(f"manifests/{w.manifest}", w.manifest, "GET"),
    "GET request to manifest path (tag)": lambda w: w.names("manifests/test0", w.manifest, "GET"),
    "400 response body should contain OCI-conforming JSON message": bad_manifest,
}


def streamed(world: World) -> None:
    content = Content()
    digest = content.blob(EXAMPLE)["digest"]
    answer = world.http("PATCH", begin(world.http, NAME), content.blobs[digest])
    assert answer.status == 202
    answer = world.http("PUT", with_digest(answer.headers["Location"], digest))
    assert (answer.status, "Location" in answer.headers) == (201, True)


def monolithic(world: World, *, post_only: bool) -> None:
    content = Content()
    digest = content.blob(EXAMPLE)["digest"]
    world.ask("GET", f"blobs/{digest}", 404)
    method, path = "PUT", with_digest(begin(world.http, NAME), digest)
    if post_only:
        method, path = "POST", f"/v2/{NAME}/blobs/uploads/?digest={digest}"
    answer = world.http(method, path, content.blobs[digest])
    assert (answer.status, "Location" in answer.headers) == (201, True)
    assert world.ask("GET", f"blobs/{digest}", 200).data == content.blobs[digest]


def chunk(world: World, location: str, data: bytes, start: int, status: int) -> str:
    span = f"{start}-{start + len(data) - 1}"
    answer = world.http("PATCH", location, data, Content_Range=span)
    assert answer.status == status
    return answer.headers["Location"] if status == 202 else location


def chunked(world: World, upto: str) -> None:
    content = Content()
    digest = content.blob(EXAMPLE, os.urandom(300))["digest"]
    data = content.blobs[digest]
    first, second = data[:100], data[100:]
    location = begin(world.http, NAME)
    if upto == "out of order":
        chunk(world, location, second, 100, 416)
        return
    following = chunk(world, location, first, 0, 202)
    if upto == "again":
        chunk(world, following, first, 0, 416)
    status = world.http("GET", following)
    assert (status.status, status.headers["Range"]) == (204, "0-99")
    following = chunk(world, status.headers["Location"], second, 100, 202)
    assert world.http("PUT", with_digest(following, digest)).status == 201


def mounted(world: World, query: str, status: int) -> None:
    answer = world.http("POST", f"/v2/{OTHER}/blobs/uploads/?{query}", b"")
    assert answer.status == status
    if status == 201:
        assert world.http("GET", answer.headers["Location"]).data == world.content.blobs[world.layer]
    else:
        content = Content()
        digest = content.blob(EXAMPLE)["digest"]
        put = world.http("PUT", with_digest(answer.headers["Location"], digest), content.blobs[digest])
        assert put.status == 201


def without_layers(world: World) -> None:
    empty = world.content.image([])
    (config,) = [
        digest for digest in world.content.blobs if digest.encode() in world.content.manifests[empty["digest"]]
    ]
    assert post_put(world.http, NAME, world.content.blobs[config], config) == 201
    assert world.put("emptylayer", world.content.manifests[empty["digest"]]).status == 201


def uploaded(world: World) -> None:
    for number in range(4):
        answer = world.put(f"again{number}", world.content.manifests[world.manifest])
        assert (answer.status, "Location" in answer.headers) == (201, True)


PUSH: dict[str, Case] = {
    "PATCH with blob in body yields 202, PUT with digest 201": streamed,
    "POST request with digest and blob should yield a 201": lambda w: monolithic(w, post_only=True),
    "PUT upload of a blob should yield a 201": lambda w: monolithic(w, post_only=False),
    "Out-of-order blob upload should return 416": lambda w: chunked(w, "out of order"),
    "PATCH request with first chunk should return 202": lambda w: chunked(w, "end"),
    "Retry previous blob chunk should return 416": lambda w: chunked(w, "again"),
    "Get on stale blob upload should return 204 with a range and location": lambda w: chunked(w, "again"),
    "Cross-mounting of a blob that exists": lambda w: mounted(w, f"mount={w.layer}&from={NAME}", 201),
    "Cross-mounting without the from argument": lambda w: mounted(w, f"mount={w.layer}", 201),
    "Cross-mounting of a nonexistent blob yields a session": lambda w: mounted(w, f"mount={ABSENT}&from={NAME}", 202),
    "GET nonexistent manifest should return 404": lambda w: w.ask("GET", f"manifests/{ABSENT}", 404),
    "PUT should accept a manifest upload": uploaded,
    "Registry should accept a manifest upload with no layers": without_layers,
    "GET request to manifest URL (digest)": lambda w: w.names(f"manifests/{w.manifest}", w.manifest, "GET"),
}


def limited(world: World) -> None:
    count = len(world.tags()) // 2
    assert len(world.tags(f"?n={count}")) == count


def after_the_last(world: World) -> None:
    first = world.tags("?n=2")
    following = world.tags(f"?n=2&last={first[-1]}")
    assert len(following) <= 2
    assert first[-1] not in following


def existing_subject(world: World) -> None:
    _, found = world.referrers(world.manifest)
    assert sorted(entry["annotations"]["of"] for entry in found) == ["a", "b", "c"]
    assert len({entry["digest"] for entry in found}) == 3


def filtered(world: World) -> None:
    answer, found = world.referrers(world.manifest, f"?artifactType={EXAMPLE}")
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"
    assert sorted(entry["annotations"]["of"] for entry in found) == ["a", "b"]


def missing_subject(world: World) -> None:
    _, found = world.referrers(ABSENT)
    assert [entry["artifactType"] for entry in found] == [EXAMPLE]


def no_referrers(world: World) -> None:
    assert world.referrers("sha256:" + "0" * 64)[1] == []


DISCOVERY: dict[str, Case] = {
    "GET request to list tags should yield 200": lambda w: w.tags(),
    "GET number of tags should be limitable by `n`": limited,
    "GET start of tag is set by `last`": after_the_last,
    "GET request to nonexistent blob should result in empty 200 (referrers)": no_referrers,
    "GET request to existing blob should yield 200 (referrers)": existing_subject,
    "GET request to existing blob with filter should yield 200": filtered,
    "GET request to missing manifest should yield 200 (referrers)": missing_subject,
}


def tag_deleted(world: World) -> None:
    before = world.tags()
    world.ask("DELETE", "manifests/test0", 202)
    world.ask("GET", "manifests/test0", 404)
    assert set(before) - set(world.tags()) == {"test0"}


def manifest_deleted(world: World) -> None:
    before = len(world.tags())
    world.ask("DELETE", f"manifests/{world.manifest}", 202)
    world.ask("GET", f"manifests/{world.manifest}", 404)
    assert len(world.tags()) < before


def blob_deleted(world: World) -> None:
    world.ask("DELETE", f"blobs/{world.config}", 202)
    world.ask("GET", f"blobs/{world.config}", 404)


MANAGEMENT: dict[str, Case] = {
    "DELETE request to manifest tag should return 202": tag_deleted,
    "DELETE request to manifest (digest) should yield 202, GET 404, and the tags list reflect it": manifest_deleted,
    "DELETE request to blob URL should yield 202, GET 404": blob_deleted,
}

CASES = {
    f"{workflow}: {name}": case
    for workflow, cases in (("pull", PULL), ("push", PUSH), ("discovery", DISCOVERY), ("management", MANAGEMENT))
    for name, case in cases.items()
}


@pytest.fixture
def world(serve: Serve) -> Iterator[World]:
    with serve() as http:
        yield World(http)


@pytest.mark.parametrize("case", CASES)
def test_case(world: World, case: str) -> None:
    assert world.http("GET", "/v2/").status == 200
    CASES[case](world)
