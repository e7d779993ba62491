"""Whatever bytes a registry or an archive calls a manifest, an index, a configuration or a name: read, or refused."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.errors import InvalidArgument, JubakoError
from jubako.image import manifest as documents
from jubako.image import platform, reference
from jubako.registry.client import challenge
from jubako.spec.oci_image import INDEX, LAYER_GZIP, MANIFEST, Index, Manifest

many = settings(max_examples=200, deadline=None)
DIGEST = "sha256:" + "ab" * 32
DESCRIPTOR = {"mediaType": LAYER_GZIP, "digest": DIGEST, "size": 3}
SEEDS: list[dict[str, Any]] = [
    {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": DESCRIPTOR,
        "layers": [DESCRIPTOR],
        "annotations": {"a": "b"},
    },
    {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{**DESCRIPTOR, "platform": {"os": "linux", "architecture": "a"}}],
    },
    {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["x"]},
        "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
    },
]
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats() | st.text(max_size=20)
    | st.sampled_from([DIGEST, MANIFEST, INDEX, "sha256:../../x", "linux"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
KEYS = [
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "rootfs",
    "digest",
    "size",
    "platform",
    "fsLayers",
]


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A good document of which something was replaced, removed or added, somewhere."""
    document = json.loads(json.dumps(draw(st.sampled_from(SEEDS))))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.sampled_from(list(_objects(document))))
        key = draw(st.sampled_from([*place, *KEYS]))
        if draw(st.booleans()):
            place[key] = draw(values | st.just(copy.deepcopy(document.get(key))))
        else:
            place.pop(key, None)
    data = json.dumps(document).encode()
    cut = draw(st.integers(0, len(data)))
    return draw(st.sampled_from([data, data, data[:cut], data[:cut] + b"\0" + data[cut:], data + data]))


def _objects(value: object) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(found for item in value.values() for found in _objects(item))]
    return [found for item in value for found in _objects(item)] if isinstance(value, list) else []


@many
@given(mutants() | st.binary(max_size=300), st.sampled_from(["", MANIFEST, INDEX, LAYER_GZIP, "text/plain"]))
def test_a_document_is_of_one_kind_with_sound_digests_or_refused(data: bytes, media_type: str) -> None:
    try:
        document = documents.decode(data, media_type)
    except InvalidArgument:
        return
    shape = json.loads(data)
    assert bool(shape.get("manifests") is not None) != bool(shape.get("layers") or shape.get("config"))
    if isinstance(document, Index):
        described = document.manifests
    else:
        assert isinstance(document, Manifest)
        described = [document.config, *document.layers]
    assert all(reference.is_digest(entry.digest) and entry.size >= 0 for entry in described)


@many
@given(mutants() | st.binary(max_size=300))
def test_a_configuration_has_sound_diff_ids_or_is_refused(data: bytes) -> None:
    try:
        config = documents.decode_config(data)
    except InvalidArgument:
        return
    assert all(reference.is_digest(diff_id) for diff_id in config.rootfs.diff_ids)


PARTS = ["docker.io", "localhost", "[::1]", "a", "A", "_", "__", "-", ".", "..", "/", ":", "@", "5000", "latest", "é"]
pieces = st.sampled_from([*PARTS, "sha256:", "ab" * 32, "sha512:", "ab" * 64, "\n", " ", "\0", "x" * 130])


@many
@given(st.lists(pieces, max_size=9).map("".join) | st.text(max_size=40))
def test_a_reference_is_refused_or_means_itself(text: str) -> None:
    try:
        parsed = reference.parse(text)
    except InvalidArgument:
        return
    assert reference.parse(str(parsed)) == parsed
    assert reference.parse(parsed.familiar()) == parsed
    assert str(parsed).isascii()
    assert ".." not in parsed.path.split("/")
    assert not {"\n", "\0", " ", "?", "#", "%"} & set(str(parsed))


@many
@given(st.text(max_size=60))
def test_platforms_and_challenges_are_read_or_refused(text: str) -> None:
    challenge.parse(text)
    try:
        parsed = platform.parse(text)
    except JubakoError:
        return
    assert platform.parse(platform.text(parsed)) == parsed
