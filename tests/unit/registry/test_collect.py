from __future__ import annotations

import json

import pytest

from jubako.registry.server.blobs import Blobs
from jubako.registry.server.collect import collect
from jubako.registry.server.documents import Repository
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.state import State
from jubako.registry.server.uploads import Uploads
from jubako.registry.server.usage import used
from jubako.spec.oci_image import CONFIG, INDEX, MANIFEST


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path)
    yield state
    state.close()


def blob(state, data):
    info = state.store.blobs.put(data)
    with state.store.records.transaction():
        Blobs(state).record("a", info.digest, info.size)
    return {"mediaType": CONFIG, "digest": info.digest, "size": info.size}


def put(state, reference, media_type, **document):
    data = json.dumps({"schemaVersion": 2, "mediaType": media_type, **document}).encode()
    digest, _ = Manifests(state).put("a", reference, media_type, data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def names(state):
    return {key.partition("@")[2] for key in state.read.manifests.keys()}


def test_untagged_children_of_a_tagged_index_and_what_refers_to_them_stay(state, tmp_path):
    child = put(state, "tmp", MANIFEST, config=blob(state, b"child"), layers=[])
    put(state, "all", INDEX, manifests=[child])
    signature = put(state, "sig", MANIFEST, config=blob(state, b"sig"), layers=[], subject=child)
    note = put(state, "note", MANIFEST, config=blob(state, b"note"), layers=[], subject=signature)
    orphan = put(state, "orphan", MANIFEST, config=blob(state, b"orphan"), layers=[])
    for tag in ("tmp", "sig", "note", "orphan"):
        Manifests(state).delete("a", tag)
    assert collect(tmp_path, grace_s=-1, untagged=True).manifests == 1
    assert orphan["digest"] not in names(state)
    assert {child["digest"], signature["digest"], note["digest"]} < names(state)


def test_recent_manifests_are_spared_and_what_they_lead_to(state, tmp_path):
    put(state, "x", MANIFEST, config=blob(state, b"x"), layers=[])
    Manifests(state).delete("a", "x")
    assert collect(tmp_path, grace_s=60, untagged=True).manifests == 0


def test_file_that_lost_its_record_to_a_crash_goes_after_the_grace(state, tmp_path):
    digest = state.store.blobs.put(b"linked, never recorded").digest
    assert collect(tmp_path, grace_s=60).blobs == 0
    assert collect(tmp_path, grace_s=-1).blobs == 1
    assert not state.store.blobs.exists(digest)


def test_push_of_bytes_that_a_collection_takes_meanwhile_places_them_again(state, tmp_path):
    digest = state.store.blobs.put(b"old").digest
    placed = []

    def place():
        state.storage.put(b"old", digest)
        if not placed:
            assert collect(tmp_path, grace_s=-1).blobs == 1
        placed.append(digest)

    state.publish(digest, place, lambda: Blobs(state).record("a", digest, 3))
    assert (state.storage.read(digest, limit=3), placed) == (b"old", [digest] * 2)
    assert collect(tmp_path, grace_s=60).blobs == 0


def test_repository_that_was_never_counted_is_counted_right_when_something_goes(state):
    gone, kept = blob(state, b"gone"), blob(state, b"stays")
    state.write.repositories.replace("a", Repository(state.clock()))
    Blobs(state).delete("a", gone["digest"])
    assert used(state, "a") == kept["size"]


def test_record_of_an_upload_whose_file_is_gone_goes_with_the_next_collection(state, tmp_path):
    session = Uploads(state, Blobs(state)).start("a", "ann")
    (state.uploads_path / session).unlink()
    collect(tmp_path)
    assert state.read.uploads.keys() == []
