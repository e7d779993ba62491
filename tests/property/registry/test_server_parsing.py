"""Whatever a client sends is read as what it says or refused; nothing else ever comes of it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.errors import InvalidArgument
from jubako.registry.server import routes
from jubako.registry.server.blobs import Blobs
from jubako.registry.server.config import load
from jubako.registry.server.endpoints.token import read_scopes
from jubako.registry.server.globs import Glob
from jubako.registry.server.pushed import decode, digest_for, entry_of
from jubako.registry.server.refusal import Refused
from jubako.registry.server.state import State
from jubako.registry.server.uploads import Uploads
from jubako.spec.distribution import is_repository
from jubako.spec.oci_image import INDEX, MANIFEST, Descriptor, Digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["schemaVersion", "mediaType", "config", "layers", "manifests", "subject", "annotations", "artifactType"]
PIECES = st.sampled_from(
    ["/v2/", "a", "/", "manifests", "blobs", "uploads", "tags/list", "..", "%", "@", ":", "sha256:", "0" * 64]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join) | st.text(max_size=300))
@settings(max_examples=400, deadline=None)
def test_path_is_a_route_with_a_clean_name_or_refused(path):
    try:
        route = routes.parse(path)
    except Refused:
        pass
    else:
        assert not route.name or is_repository(route.name)
        assert ".." not in route.name
        assert "/" not in route.reference


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8), st.sampled_from([MANIFEST, INDEX]))
@settings(max_examples=300, deadline=None)
def test_manifest_is_understood_or_refused(document, media_type):
    data = json.dumps(document).encode()
    with suppress(Refused):
        found = decode(data, media_type)
        entry_of(found, Descriptor(media_type=media_type, digest=Digest("sha256:" + "0" * 64), size=len(data)), 0.0)


@given(st.binary(max_size=400), st.sampled_from([MANIFEST, INDEX, ""]))
@settings(max_examples=300, deadline=None)
def test_bytes_are_a_manifest_or_refused(data, media_type):
    with pytest.raises(Refused):
        decode(data, media_type)


@given(st.binary(max_size=100), st.text(max_size=100))
@settings(max_examples=200, deadline=None)
def test_digest_is_of_the_bytes_whatever_the_reference(data, reference):
    try:
        digest = digest_for(reference, data)
    except Refused:
        return
    algorithm, _, encoded = digest.partition(":")
    assert hashlib.new(algorithm, data).hexdigest() == encoded


@given(st.lists(st.text(max_size=60), max_size=4))
@settings(max_examples=300, deadline=None)
def test_scopes_name_repositories_or_are_left_out(texts):
    for grant in read_scopes(texts):
        assert is_repository(grant.name)
        assert set(grant.actions) <= {"pull", "push", "delete", "*"}


@given(st.text(max_size=200) | JSON.map(repr))
@settings(max_examples=200, deadline=None)
def test_configuration_is_read_or_told_what_is_wrong(text):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "registry.yaml"
        path.write_text(text, "utf-8", errors="surrogatepass")
        with pytest.raises(InvalidArgument):
            load(path)


@given(st.text(min_size=1, max_size=30), st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_pattern_without_wildcards_means_itself(pattern, name):
    glob = Glob.read(pattern)
    if not any(wild in pattern for wild in "*?"):
        assert glob.matches(name) is (name == pattern)


@given(st.lists(st.binary(min_size=0, max_size=3000), max_size=8), st.lists(st.booleans(), min_size=8, max_size=8))
@settings(max_examples=40, deadline=None)
def test_upload_in_any_pieces_is_the_same_blob_wherever_its_hash_was_lost(pieces, forget):
    with tempfile.TemporaryDirectory() as directory:
        state = State(Path(directory))
        uploads = Uploads(state, Blobs(state))
        session = uploads.start("a", "ann")
        for piece, lost in zip(pieces, forget, strict=False):
            if lost:
                uploads = Uploads(state, Blobs(state))
            with uploads.opened("a", session, "ann") as upload:
                upload.append(piece)
        data = b"".join(pieces)
        assert uploads.offset("a", session, "ann") == len(data)
        digest = Digest("sha256:" + hashlib.sha256(data).hexdigest())
        with uploads.opened("a", session, "ann") as upload:
            uploads.finish("a", session, upload, digest)
        assert state.storage.read(digest, limit=1 << 20) == data
        state.close()
