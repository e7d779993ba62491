"""A document of any kind survives every codec, and no body of any form does more than be refused."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.cluster.generated import KINDS, generated

from jubako.cluster.types.columns import table
from jubako.cluster.types.decoding.body import JSON_TYPE, MEDIA_TYPES, PROTOBUF_TYPE, YAML_TYPE, conform, decode
from jubako.cluster.types.defaulting import default
from jubako.cluster.types.protobuf import envelope
from jubako.cluster.types.resources import kind
from jubako.cluster.types.served import Kind
from jubako.cluster.types.validation import validate, validate_update
from jubako.errors import InvalidArgument

SEEDS = st.integers(0, 2**32)
POD = kind("v1", "Pod")
assert POD


@pytest.mark.parametrize("of", KINDS, ids=lambda of: f"{of.api_version}.{of.name}")
@given(seed=SEEDS)
@settings(max_examples=12, deadline=None)
def test_a_document_comes_back_from_protobuf_as_it_was(of: Kind, seed: int) -> None:
    document, problems = conform(of, generated(of, seed), "Warn")
    assert problems == []
    again = decode(envelope.wrap(of.message, document), of, media_type=PROTOBUF_TYPE)
    assert again.document == document


@pytest.mark.parametrize("of", KINDS, ids=lambda of: f"{of.api_version}.{of.name}")
@given(seed=SEEDS)
@settings(max_examples=6, deadline=None)
def test_a_conformed_document_conforms_to_itself(of: Kind, seed: int) -> None:
    document, _ = conform(of, generated(of, seed))
    assert decode(json.dumps(document).encode(), of).document == document


@pytest.mark.parametrize("of", KINDS, ids=lambda of: f"{of.api_version}.{of.name}")
@given(seed=SEEDS)
@settings(max_examples=6, deadline=None)
def test_a_defaulted_document_conforms_and_stays_and_has_a_row(of: Kind, seed: int) -> None:
    document, _ = conform(of, generated(of, seed))
    default(of, document)
    again, problems = conform(of, copy.deepcopy(document))
    assert problems == []
    default(of, again)
    assert again == document
    assert table(of, [document], datetime(2026, 1, 1, tzinfo=UTC))["rows"]
    for complaint in [*validate(of, document), *validate_update(of, document, again)]:
        assert complaint.body


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_yaml_says_what_json_says(seed: int) -> None:
    of = KINDS[seed % len(KINDS)]
    document, _ = conform(of, generated(of, seed))
    written = yaml.safe_dump(document, allow_unicode=True).encode()
    assert decode(written, of, media_type=YAML_TYPE).document == document


def attempt(body: bytes, media_type: str) -> None:
    try:
        found = decode(body, POD, media_type=media_type, any_kind=True)
    except InvalidArgument:
        return
    json.dumps(found.document).encode()
    envelope.wrap(found.kind.message, found.document)


@given(st.binary(max_size=400), st.sampled_from(MEDIA_TYPES))
@settings(max_examples=400, deadline=None)
def test_arbitrary_bytes_are_read_or_refused(body: bytes, media_type: str) -> None:
    attempt(body, media_type)
    attempt(envelope.PREFIX + body, PROTOBUF_TYPE)


@given(seed=SEEDS, media_type=st.sampled_from(MEDIA_TYPES))
@settings(max_examples=300, deadline=None)
def test_a_damaged_body_is_read_or_refused(seed: int, media_type: str) -> None:
    random = Random(seed)
    document, _ = conform(POD, generated(POD, seed))
    whole = envelope.wrap(POD.message, document) if media_type == PROTOBUF_TYPE else json.dumps(document).encode()
    body = bytearray(whole)
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(body))
        change = random.choice(("flip", "cut", "repeat"))
        if change == "flip":
            body[place] = random.randrange(256)
        elif change == "cut":
            del body[place : place + random.randint(1, 9)]
        else:
            body[place:place] = body[place : place + 40]
        body = body or bytearray(b"x")
    attempt(bytes(body), media_type)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["metadata", "spec", "containers", "name", "ports", "env"]), inner, max_size=5
            )
        ),
        max_leaves=20,
    )
)
@settings(max_examples=300, deadline=None)
def test_values_of_any_type_are_read_or_refused(value: object) -> None:
    attempt(json.dumps(value).encode(), JSON_TYPE)
