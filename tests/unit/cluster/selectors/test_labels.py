"""Label selectors: what Kubernetes reads, and in whose words it refuses."""

from __future__ import annotations

import pytest

from jubako.cluster.selectors import parse_labels
from jubako.errors import InvalidArgument

LABELS = {"app": "web", "tier": "", "example.com/size": "7", "in": "notin"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "app",
        "app=web",
        "app==web",
        " app = web , tier ",
        "tier=",
        "tier=,app",
        "app!=db",
        "absent!=x",
        "!absent",
        "! absent",
        "app in (db,web)",
        "app in ( web )",
        "app notin (db)",
        "absent notin (db)",
        "tier in (a,,b)",
        "tier in (,a)",
        "tier in (a,)",
        "tier in ()",
        "example.com/size>6",
        "example.com/size<8,example.com/size > 0",
        "in=notin",
        "in in (notin,in)",
        "in notin (in)",
        "app\n=\tweb\r",
    ],
)
def test_matches(text: str) -> None:
    assert parse_labels(text).matches(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "absent",
        "!app",
        "app=db",
        "app=",
        "app!=web",
        "app in (db)",
        "app notin (db,web)",
        "absent in (x)",
        "absent in ()",
        "app,absent",
        "app>1",
        "absent<1",
        "example.com/size>7",
        "example.com/size<7",
    ],
)
def test_does_not_match(text: str) -> None:
    assert not parse_labels(text).matches(LABELS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (",", "found ',', expected: !, identifier, or 'end of string'"),
        ("=web", "found '=', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a==!b", "unable to parse requirement: found '!', expected: identifier"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a in (b,=)", "unable to parse requirement: found '=', expected: ',', or identifier"),
        ("a>x", "the value must be an integer"),
        ("a>99999999999999999999", "the value must be an integer"),
        ("a/b/c", 'unable to parse requirement: <nil>: Invalid value: "a/b/c": a qualified name must'),
        ("-a", 'Invalid value: "-a": name part must consist of'),
        ("a=b/c", 'values[0][a]: Invalid value: "b/c": a valid label must be'),
        ("a>-1", 'values[0][a]: Invalid value: "-1": a valid label must be'),
        ("a in (b,-c)", 'values[1][a]: Invalid value: "-c"'),
        ("a=" + "x" * 64, "must be no more than 63"),
        ("a\0b", "Invalid value"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        parse_labels(text)
    assert message in refused.value.message
