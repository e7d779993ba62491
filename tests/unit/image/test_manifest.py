from __future__ import annotations

import json
from typing import Any

import pytest

from jubako.errors import InvalidArgument
from jubako.image import manifest as documents
from jubako.spec.oci_image import DOCKER_MANIFEST, INDEX, LAYER_GZIP, MANIFEST, Index, Manifest

DIGEST = "sha256:" + "a" * 64
DESCRIPTOR = {"mediaType": LAYER_GZIP, "digest": DIGEST, "size": 3}


def manifest(**change: Any) -> bytes:
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": DESCRIPTOR, "layers": [DESCRIPTOR], **change}
    return json.dumps({key: value for key, value in document.items() if value != "absent"}).encode()


def test_a_manifest_and_an_index_are_told_apart() -> None:
    assert isinstance(documents.decode(manifest()), Manifest)
    index = {"schemaVersion": 2, "manifests": [DESCRIPTOR]}
    assert isinstance(documents.decode(json.dumps(index).encode(), INDEX), Index)


def test_a_media_type_may_be_left_to_the_descriptor() -> None:
    assert isinstance(documents.decode(manifest(mediaType="absent"), MANIFEST), Manifest)


def test_null_counts_as_absent_as_in_go() -> None:
    found = documents.decode(manifest(annotations=None, manifests=None))
    assert isinstance(found, Manifest)
    assert not found.annotations


@pytest.mark.parametrize(
    ("change", "served_as"),
    [
        ({"manifests": [DESCRIPTOR]}, ""),
        ({"manifests": []}, ""),
        ({"layers": "absent", "manifests": [DESCRIPTOR]}, ""),
        ({"config": "absent", "layers": "absent"}, ""),
    ],
    ids=["both", "both, empty", "config and manifests", "neither"],
)
def test_cve_2021_41190_a_document_must_be_one_thing(change: dict[str, Any], served_as: str) -> None:
    with pytest.raises(InvalidArgument, match=r"is (both|neither)"):
        documents.decode(manifest(**change), served_as)


@pytest.mark.parametrize(
    ("media_type", "served_as"),
    [(MANIFEST, DOCKER_MANIFEST), (INDEX, INDEX), (INDEX, ""), ("absent", INDEX), (LAYER_GZIP, "")],
)
def test_cve_2021_41190_the_media_type_must_agree(media_type: str, served_as: str) -> None:
    with pytest.raises(InvalidArgument):
        documents.decode(manifest(mediaType=media_type), served_as)


@pytest.mark.parametrize(
    "digest", ["", "sha256:../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "a" * 32, "sha256:aa"]
)
def test_a_digest_that_could_be_a_path_is_refused(digest: str) -> None:
    with pytest.raises(InvalidArgument, match="not a digest"):
        documents.decode(manifest(config={**DESCRIPTOR, "digest": digest}))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff", b"[" * 100000, manifest(layers={}),
        b'{"schemaVersion":1,"fsLayers":[],"manifests":[]}', b'{"mediaType":"\x80"}',
    ],
)  # fmt: skip
def test_malformed_documents_are_invalid_arguments(data: bytes) -> None:
    with pytest.raises(InvalidArgument):
        documents.decode(data)


def test_caps_on_size_layers_and_negative_sizes() -> None:
    with pytest.raises(InvalidArgument, match="larger than 4 MB"):
        documents.decode(manifest(padding="x" * (4 << 20)))
    with pytest.raises(InvalidArgument, match="layers"):
        documents.decode(manifest(layers=[DESCRIPTOR] * 2000))
    with pytest.raises(InvalidArgument, match="negative"):
        documents.decode(manifest(config={**DESCRIPTOR, "size": -1}))


def test_a_configuration_with_nulls_and_unknown_fields_is_read() -> None:
    document = {
        "architecture": "amd64",
        "os": "linux",
        "container": "abc",
        "config": {"User": None, "Env": None, "Cmd": ["sh"], "Hostname": "x", "ExposedPorts": {"80/tcp": {}}},
        "rootfs": {"type": "layers", "diff_ids": [DIGEST]},
        "history": [{"created_by": "x", "empty_layer": True, "author": None}],
    }
    config = documents.decode_config(json.dumps(document).encode())
    assert config.config
    assert (config.config.cmd, config.config.user) == (["sh"], "")
    assert config.rootfs.diff_ids == [DIGEST]


def test_a_configuration_with_a_hostile_diff_id_is_refused() -> None:
    document = {"architecture": "a", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:../x"]}}
    with pytest.raises(InvalidArgument):
        documents.decode_config(json.dumps(document).encode())
