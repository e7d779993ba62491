"""Whatever is in an image archive, loading it is either an image or one of our errors, and never half an image."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tarfile
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.errors import JubakoError
from jubako.image import archive, reference
from jubako.image import manifest as documents
from jubako.image.catalog import Images
from jubako.store import Store

LAYER = b"\0" * 1024
CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(LAYER).hexdigest()]},
}
DIGEST = "sha256:" + "a" * 64
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.just(DIGEST),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["config", "layers", "manifests", "mediaType", "digest", "size", "rootfs", "diff_ids", "os", "platform", "x"]
    ), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def files() -> dict[str, bytes]:
    manifest = [{"Config": "config.json", "RepoTags": ["tool:v1"], "Layers": ["layer.tar"]}]
    return {
        "manifest.json": json.dumps(manifest).encode(),
        "config.json": json.dumps(CONFIG).encode(),
        "layer.tar": LAYER,
    }


def tar_of(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as opened:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return out.getvalue()


@settings(max_examples=120)
@given(
    st.dictionaries(
        st.sampled_from(["manifest.json", "config.json", "layer.tar", "index.json", "oci-layout"]),
        st.one_of(json_values.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60)),
        max_size=2,
    ),
    st.lists(st.tuples(st.integers(0, 1 << 14), st.integers(0, 255)), max_size=3),
    st.one_of(st.none(), st.integers(0, 1 << 13)),
)
def test_loading_is_whole_or_an_error(
    replaced: dict[str, bytes], changes: list[tuple[int, int]], end: int | None
) -> None:
    data = bytearray(tar_of(files() | replaced))
    for position, value in changes:
        data[position % len(data)] = value
    with tempfile.TemporaryDirectory() as base, Store.open(base) as store:
        images = Images(store)
        try:
            archive.load(store, io.BytesIO(bytes(data[:end])), images)
        except JubakoError:
            assert images.list() == []
        for image in images.list():
            assert all(store.blobs.exists(layer.digest) for layer in image.manifest.layers)
        assert os.listdir(os.path.join(base, "ingest")) == []


@settings(max_examples=300, deadline=None)
@given(json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=100), st.sampled_from(
    ["", "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"]
))  # fmt: skip
def test_any_document_is_decoded_or_refused(data: bytes, media_type: str) -> None:
    for decode in (lambda: documents.decode(data, media_type), lambda: documents.decode_config(data)):
        with contextlib.suppress(JubakoError):
            decode()


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"[a-z0-9._/:@-]{1,30}", fullmatch=True))
def test_a_name_is_refused_or_parses_to_itself(text: str) -> None:
    try:
        parsed = reference.parse(text)
    except JubakoError:
        return
    assert reference.parse(str(parsed)) == parsed
    assert reference.parse(parsed.familiar()) == parsed
    assert ".." not in parsed.path.split("/")
