"""Garbage collection of a registry."""

from __future__ import annotations

import threading

import pytest

from jubako.errors import NotFound
from jubako.registry.client import push
from jubako.registry.server.collect import collect

from .images import make_image, make_manifest

pytestmark = pytest.mark.root


def blobs(root):
    return {path.name for path in (root / "blobs" / "sha256").iterdir()}


def test_nothing_that_an_image_needs_is_taken(registry, registry_root, store, options):
    push(store, make_image(store, "x", b"one", b"two"), registry.reference("a:v1"), options=options)
    before = blobs(registry_root)
    result = collect(registry_root, grace_s=-1)
    assert (result.blobs, result.manifests) == (0, 0)
    assert blobs(registry_root) == before


def test_blob_without_a_manifest_goes_after_the_grace(registry, registry_root):
    digest = registry.push_blob("a", b"orphan")
    assert collect(registry_root, grace_s=3600).blobs == 0
    assert registry("HEAD", f"/v2/a/blobs/{digest}").status == 200
    result = collect(registry_root, grace_s=-1)
    assert (result.blobs, result.freed_bytes > 0) == (1, True)
    assert registry("HEAD", f"/v2/a/blobs/{digest}").status == 404
    assert registry("GET", "/v2/_catalog").json() == {"repositories": []}


def test_content_of_a_deleted_manifest_goes_but_not_what_is_shared(registry, registry_root, store, options):
    push(store, make_image(store, "x", b"shared", b"one"), registry.reference("a:v1"), options=options)
    push(store, make_image(store, "y", b"shared", b"two"), registry.reference("a:v2"), options=options)
    registry("DELETE", f"/v2/a/manifests/{make_manifest(store, b'shared', b'one').digest}")
    # The layer, the configuration and the manifest of the first.
    assert collect(registry_root, grace_s=-1).blobs == 3
    assert collect(registry_root, grace_s=-1).blobs == 0


def test_untagged_manifests_stay_unless_asked(registry, registry_root, store, options):
    push(store, make_image(store, "x", b"one"), registry.reference("a:v1"), options=options)
    registry("DELETE", "/v2/a/manifests/v1")
    assert collect(registry_root, grace_s=-1).manifests == 0
    result = collect(registry_root, grace_s=-1, untagged=True)
    assert (result.manifests, result.blobs) == (1, 3)
    assert not blobs(registry_root)


def test_unfinished_uploads_go(registry, registry_root):
    location = registry("POST", "/v2/a/blobs/uploads/").headers["Location"]
    registry("PATCH", location, b"some")
    assert collect(registry_root, grace_s=-1).uploads == 1
    assert registry("GET", location).status == 404


def test_pushes_succeed_while_collection_runs_over_and_over(registry, registry_root, store, options):
    done = threading.Event()
    failures = []

    def collect_forever():
        while not done.is_set():
            try:
                collect(registry_root, grace_s=1, untagged=True)
            except Exception as error:
                failures.append(error)

    collector = threading.Thread(target=collect_forever)
    collector.start()
    try:
        for number in range(30):
            image = make_image(store, "x", f"content {number}".encode(), b"shared")
            push(store, image, registry.reference("a:v1"), options=options)
    finally:
        done.set()
        collector.join()
    assert not failures
    assert registry("GET", f"/v2/a/blobs/{image.manifest.layers[0].digest}").status == 200


def test_no_registry_is_not_made_by_collecting(tmp_path):
    with pytest.raises(NotFound):
        collect(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
