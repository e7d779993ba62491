"""The documents of an exported cache: what is written is read again, and what is hostile comes to nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from jubako.build.graph.filesystem import Layer, Output
from jubako.build.remotecache import config
from jubako.build.remotecache.config import LayerTable
from jubako.errors import InvalidArgument
from jubako.spec.oci_image import LAYER_GZIP, Descriptor, DiffID, Digest

WHEN = "2024-05-06T07:08:09.123456789Z"
KEYS = [digit * 64 for digit in "0123"]


def diff(digit: str) -> DiffID:
    return DiffID(f"sha256:{digit * 64}")


def layer(digit: str) -> Layer:
    return Layer(diff(digit), Descriptor(media_type=LAYER_GZIP, digest=Digest(f"sha256:{digit * 63}0"), size=9))


def named(*layers: Layer) -> list[Descriptor]:
    """The descriptors of a manifest around the cache."""
    return [
        Descriptor(
            media_type=each.blob.media_type,
            digest=each.blob.digest,
            size=each.blob.size,
            annotations={config.DIFF_ID: each.diff_id},
        )
        for each in layers
    ]


def written(outputs: dict[str, Output], *present: Layer, stacks: list[list[DiffID]] | None = None) -> bytes:
    table = LayerTable({each.diff_id: each.blob for each in present})
    for stack in stacks or [[each.diff_id] for each in present]:
        table.add(stack)
    return config.encode(config.records_of(outputs, table.tops), table.entries)


def read(document: dict[str, Any], *present: Layer) -> dict[str, Output]:
    return config.decode(json.dumps(document).encode(), named(*present))


def test_what_is_written_is_read_again() -> None:
    a, b = layer("a"), layer("b")
    outputs = {KEYS[0]: Output(a, WHEN), KEYS[1]: Output(b, WHEN), KEYS[2]: Output(None, WHEN)}
    assert config.decode(written(outputs, a, b), named(a, b)) == outputs


def test_a_layer_that_is_not_in_the_cache_is_known_by_what_it_is() -> None:
    found = config.decode(written({KEYS[0]: Output(layer("a"), WHEN)}), [])
    assert found == {KEYS[0]: Output(Layer.without_blob(diff("a")), WHEN)}
    assert not Layer.without_blob(diff("a")).has_blob
    assert layer("a").has_blob


def test_the_form_is_buildkits() -> None:
    a, b = layer("a"), layer("b")
    stacks = [[diff("f"), a.diff_id], [diff("f"), a.diff_id, b.diff_id]]
    document = json.loads(written({KEYS[0]: Output(b, WHEN)}, a, b, stacks=stacks))
    assert document == {
        "layers": [{"blob": a.blob.digest, "parent": -1}, {"blob": b.blob.digest, "parent": 0}],
        "records": [{"digest": f"sha256:{KEYS[0]}", "layers": [{"layer": 1, "createdAt": WHEN}]}],
    }


def test_equal_layers_over_each_other_in_either_order_make_no_circle() -> None:
    a, b = layer("a"), layer("b")
    stacks = [[a.diff_id, b.diff_id], [b.diff_id, a.diff_id]]
    document = json.loads(written({}, a, b, stacks=stacks))
    assert [entry["parent"] for entry in document["layers"]] == [-1, 0, -1, 2]


def test_an_inline_cache_counts_the_layers_of_its_image() -> None:
    base, a = layer("f"), layer("a")
    outputs = {KEYS[0]: Output(a, WHEN), KEYS[1]: Output(layer("b"), WHEN)}
    text = config.encode_inline(config.records_of(outputs, {base.diff_id: 0, a.diff_id: 1}))
    found = config.decode_inline(text, [base.blob, a.blob], [base.diff_id, a.diff_id])
    assert found == {KEYS[0]: Output(a, WHEN), KEYS[1]: Output(Layer.without_blob(diff("b")), WHEN)}


def test_what_buildkit_wrote_is_read_and_means_nothing_here() -> None:
    document = {
        "layers": [{"blob": layer("a").blob.digest, "parent": -1}],
        "records": [
            {"digest": "sha256:" + KEYS[0]},
            {
                "digest": "sha256:" + KEYS[1],
                "layers": [{"layer": 0, "createdAt": "0001-01-01T00:00:00Z"}],
                "inputs": [[{"link": 1}, {"link": 0, "selector": "sha256:" + KEYS[3]}]],
                "chains": [{"layers": [0, 0]}],
            },
            {"digest": "random:xyz"},
        ],
    }
    assert list(read(document, layer("a"))) == [KEYS[1]]


@pytest.mark.parametrize(
    "record",
    [
        {"digest": "sha256:../../../etc/passwd", "createdAt": WHEN},
        {"digest": f"sha256:{KEYS[0]}/..", "createdAt": WHEN},
        {"digest": f"sha256:{KEYS[0]}"},
        {"digest": f"sha256:{KEYS[0]}", "createdAt": "yesterday"},
        {"digest": f"sha256:{KEYS[0]}", "createdAt": f"{WHEN}\n"},
        {"digest": f"sha256:{KEYS[0]}", "createdAt": WHEN, "diffID": "sha256:../x"},
        {"digest": f"sha256:{KEYS[0]}", "layers": [{"layer": 0, "createdAt": "now"}], "createdAt": WHEN},
    ],
)
def test_a_record_that_is_not_well_formed_says_nothing(record: dict[str, Any]) -> None:
    assert read({"layers": [{"blob": layer("a").blob.digest}], "records": [record]}, layer("a")) == {}


@pytest.mark.parametrize("number", [-1, 1, 1 << 62])
def test_a_record_that_leads_nowhere_is_an_error(number: int) -> None:
    record = {"digest": f"sha256:{KEYS[0]}", "layers": [{"layer": number, "createdAt": WHEN}]}
    with pytest.raises(InvalidArgument, match=f"leads to layer {number}"):
        read({"layers": [{"blob": layer("a").blob.digest}], "records": [record]}, layer("a"))


def test_layers_in_a_circle_are_not_followed() -> None:
    entries = [{"blob": layer("a").blob.digest, "parent": 1}, {"blob": layer("b").blob.digest, "parent": 0}]
    record = {"digest": f"sha256:{KEYS[0]}", "layers": [{"layer": 0, "createdAt": WHEN}]}
    found = read({"layers": entries, "records": [record]}, layer("a"), layer("b"))
    assert found == {KEYS[0]: Output(layer("a"), WHEN)}


def test_a_layer_that_the_manifest_does_not_name_or_that_is_none_is_left_out() -> None:
    record = {"digest": f"sha256:{KEYS[0]}", "layers": [{"layer": 0, "createdAt": WHEN}]}
    document = {"layers": [{"blob": layer("a").blob.digest}], "records": [record]}
    assert read(document) == {}
    for change in ({"media_type": "text/html"}, {"size": 0}, {"annotations": {config.DIFF_ID: "sha256:1"}}):
        blob = {**{f: getattr(named(layer("a"))[0], f) for f in ("media_type", "digest", "size", "annotations")}}
        assert config.decode(json.dumps(document).encode(), [Descriptor(**{**blob, **change})]) == {}


@pytest.mark.parametrize("data", [b"", b"[", b"null", b"[]", b'{"records": 1}', b'{"records": [1]}', b"[" * 100_000])
def test_what_is_no_configuration_is_an_error(data: bytes) -> None:
    with pytest.raises(InvalidArgument, match="malformed"):
        config.decode(data, [])


def test_a_huge_configuration_is_an_error() -> None:
    with pytest.raises(InvalidArgument, match="larger than 8 MB"):
        config.decode(b" " * ((8 << 20) + 1), [])


@pytest.mark.parametrize("text", ["%%%", base64.b64encode(b"{}").decode(), base64.b64encode(b"[1]").decode()])
def test_what_is_no_inline_cache_is_an_error(text: str) -> None:
    with pytest.raises(InvalidArgument, match="cache"):
        config.decode_inline(text, [], [])
