"""Field selectors: what Kubernetes reads, and in whose words it refuses."""

from __future__ import annotations

import pytest

from jubako.cluster.selectors import parse_fields
from jubako.errors import InvalidArgument

SUPPORTED = ("metadata.name", "metadata.namespace", "status.phase", "spec.nodeName")
FIELDS = {"metadata.name": "web", "status.phase": "Running", "spec.nodeName": "a=b,c\\"}


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("", True),
        (",,", True),
        ("metadata.name=web", True),
        ("metadata.name==web", True),
        ("metadata.name!=web", False),
        ("metadata.name=", False),
        ("metadata.namespace=", True),
        ("metadata.namespace!=", False),
        ("metadata.name=web,status.phase!=Failed", True),
        ("metadata.name=web,status.phase=Failed", False),
        (r"spec.nodeName=a\=b\,c\\", True),
        (r"spec.nodeName!=a\=b\,c\\,metadata.name=web", False),
    ],
)
def test_matches(text: str, matches: bool) -> None:
    assert parse_fields(text, SUPPORTED).matches(FIELDS) == matches


def test_tells_the_only_value_of_a_field() -> None:
    selector = parse_fields("metadata.name=web,status.phase!=Failed", SUPPORTED)
    assert (selector.exact("metadata.name"), selector.exact("status.phase")) == ("web", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("metadata.name=a=b", "invalid field selector: unescaped character in value: ="),
        (r"metadata.name=a\b", r"invalid field selector: invalid escape sequence: \b"),
        ("metadata.name=a\\", "invalid field selector: invalid escape sequence: \\"),
        ("spec.x=1", "field label not supported: spec.x"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        parse_fields(text, SUPPORTED)
    assert refused.value.message == message


def test_of_a_kind_with_no_fields_of_its_own_two_are_known() -> None:
    with pytest.raises(InvalidArgument, match=r'"status\.phase" is not a known field selector: only "metadata\.name"'):
        parse_fields("status.phase=Running")
