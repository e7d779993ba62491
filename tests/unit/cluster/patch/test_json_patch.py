"""JSON Patch: the examples of RFC 6902, and what must be refused."""

from __future__ import annotations

from typing import Any

import pytest

from jubako.cluster.patch import Unprocessable, apply_json
from jubako.errors import InvalidArgument, ResourceExhausted


def op(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": name, "path": path, **{key.rstrip("_"): value for key, value in more.items()}}


# RFC 6902, appendix A: document, operations, result.
EXAMPLES: list[tuple[Any, list[Any], Any]] = [
    ({"foo": "bar"}, [op("add", "/baz", value="qux")], {"baz": "qux", "foo": "bar"}),
    ({"foo": ["bar", "baz"]}, [op("add", "/foo/1", value="qux")], {"foo": ["bar", "qux", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [op("remove", "/baz")], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [op("remove", "/foo/1")], {"foo": ["bar", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [op("replace", "/baz", value="boo")], {"baz": "boo", "foo": "bar"}),
    (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [op("move", "/qux/thud", from_="/foo/waldo")],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    (
        {"foo": ["all", "grass", "cows", "eat"]},
        [op("move", "/foo/3", from_="/foo/1")],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [op("test", "/baz", value="qux"), op("test", "/foo/1", value=2)],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    ({"foo": "bar"}, [op("add", "/child", value={"grandchild": {}})], {"foo": "bar", "child": {"grandchild": {}}}),
    ({"foo": "bar"}, [op("add", "/baz", value="qux", xyz=123)], {"foo": "bar", "baz": "qux"}),
    ({"/": 9, "~1": 10}, [op("test", "/~01", value=10)], {"/": 9, "~1": 10}),
    ({"foo": ["bar"]}, [op("add", "/foo/-", value=["abc", "def"])], {"foo": ["bar", ["abc", "def"]]}),
    ({"a": 1}, [op("replace", "", value=[1])], [1]),
    ({"a": 1}, [op("add", "", value={"b": 2}), op("remove", "/b")], {}),
    ({"a": {"b": 1}}, [op("copy", "/c", from_="/a"), op("add", "/c/b", value=2)], {"a": {"b": 1}, "c": {"b": 2}}),
    ({"a": 1}, [op("move", "/a", from_="/a")], {"a": 1}),
    ({"a": 1}, [op("test", "/b", value=None)], {"a": 1}),
    ({"": 1}, [op("replace", "/", value=2)], {"": 2}),
    ({"a": None}, [op("test", "/a", value=None), op("add", "/a", value=None)], {"a": None}),
    ({"a": 1.0}, [op("test", "/a", value=1)], {"a": 1.0}),
]


@pytest.mark.parametrize(("document", "patch", "result"), EXAMPLES)
def test_examples(document: Any, patch: list[Any], result: Any) -> None:
    assert apply_json(document, patch) == result


@pytest.mark.parametrize(
    "operation",
    [
        op("test", "/baz", value="bar"),
        op("test", "/list/0", value=True),
        op("test", "/list/5", value=None),
        op("add", "/absent/bat", value="qux"),
        op("add", "/baz/x", value=1),
        op("add", "/list/4", value=1),
        op("add", "/list/01", value=1),
        op("add", "/list/-1", value=1),
        op("replace", "/absent", value=1),
        op("replace", "/list/-", value=1),
        op("remove", "/absent"),
        op("remove", "/list/3"),
        op("remove", ""),
        op("move", "/list/-", from_="/absent"),
        op("move", "/deep/in", from_="/deep"),
        op("copy", "/x", from_="/list/7"),
    ],
)
def test_what_does_not_fit_the_document_is_unprocessable_and_changes_nothing(operation: Any) -> None:
    document = {"baz": "qux", "list": [1, 2, 3], "deep": {}}
    with pytest.raises(Unprocessable, match=operation["op"]):
        apply_json(document, [op("add", "/list/-", value=4), op("remove", "/list/3"), operation])
    assert document == {"baz": "qux", "list": [1, 2, 3], "deep": {}}


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "add", "path": "/a", "value": 1},
        [1],
        [{"path": "/a", "value": 1}],
        [op("frobnicate", "/a")],
        [op("add", "/a")],
        [op("move", "/a")],
        [op("remove", "a")],
        [{"op": "remove"}],
        [op("remove", "/a~2")],
        [op("copy", "/a", from_=7)],
        [op("remove", "/x" * 200)],
        # The last operation is malformed: the first is not tried.
        [op("remove", "/absent"), op("add", "/a")],
    ],
)
def test_what_is_no_patch_is_an_invalid_argument(patch: Any) -> None:
    with pytest.raises(InvalidArgument):
        apply_json({"a": 1}, patch)


def test_copies_that_double_end_at_the_bound() -> None:
    with pytest.raises(ResourceExhausted):
        apply_json({"a": ["x" * 100]}, [op("copy", "/a/-", from_="/a")] * 60)


def test_copies_into_themselves_end_at_the_depth() -> None:
    with pytest.raises(Unprocessable, match="levels deep"):
        apply_json({"a": {}}, [op("copy", "/a" + "/a" * depth, from_="/a") for depth in range(1, 140)] * 3)


def test_moves_that_nest_end_at_the_depth() -> None:
    document = {f"k{number}": {} for number in range(2000)}
    with pytest.raises(Unprocessable, match="levels deep"):
        apply_json(document, [op("move", f"/k{number + 1}/x", from_=f"/k{number}") for number in range(1999)])


def test_too_many_operations_are_refused() -> None:
    with pytest.raises(ResourceExhausted, match="10000, got 10001"):
        apply_json({"a": 1}, [op("test", "/a", value=1)] * 10_001)
