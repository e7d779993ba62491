"""Patches: what makes one document of another does, whatever they are; and applying again changes nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.cluster.patch import Unprocessable, apply_json, apply_merge, apply_strategic
from jubako.errors import InvalidArgument, ResourceExhausted

many = settings(max_examples=200, deadline=None)
NAMES = st.sampled_from(["a", "b", "c", "~", "/", "", "0", "-"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text(max_size=2))


def documents(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=10
    )


JSON = documents(SCALARS)
NO_NULLS = documents(st.one_of(st.booleans(), st.integers(-3, 3), st.text(max_size=2)))
OBJECTS = st.dictionaries(NAMES, NO_NULLS, max_size=4)


def text(value: Any) -> str:
    """A form in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True)


def escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def operations(old: Any, new: Any, path: str = "") -> list[Any]:
    """A JSON patch that makes `new` of `old`, in small steps."""
    if isinstance(old, dict) and isinstance(new, dict):
        steps = [{"op": "remove", "path": f"{path}/{escaped(name)}"} for name in old if name not in new]
        for name, value in new.items():
            place = f"{path}/{escaped(name)}"
            steps += operations(old[name], value, place) if name in old else [_add(place, value)]
        return steps
    if isinstance(old, list) and isinstance(new, list):
        steps = [{"op": "remove", "path": f"{path}/{index}"} for index in reversed(range(len(new), len(old)))]
        for index, value in enumerate(new):
            steps += (
                operations(old[index], value, f"{path}/{index}") if index < len(old) else [_add(f"{path}/-", value)]
            )
        return steps
    return [] if text(old) == text(new) else [{"op": "replace", "path": path, "value": new}]


def _add(path: str, value: Any) -> Any:
    return {"op": "add", "path": path, "value": value}


@many
@given(JSON, JSON)
def test_the_difference_of_two_documents_makes_one_of_the_other(old: Any, new: Any) -> None:
    before = copy.deepcopy(old)
    assert text(apply_json(old, operations(old, new))) == text(new)
    assert text(old) == text(before)


POINTERS = st.lists(NAMES, max_size=3).map(lambda names: "".join(f"/{escaped(name)}" for name in names))
OPERATIONS = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]),
        "path": POINTERS,
        "value": JSON,
        "from": POINTERS,
    }
)


@many
@given(JSON, st.lists(OPERATIONS, max_size=6))
def test_a_patch_applies_or_is_refused_and_shares_nothing_with_its_arguments(document: Any, patch: Any) -> None:
    before = copy.deepcopy((document, patch))
    try:
        result = apply_json(document, patch)
    except (Unprocessable, ResourceExhausted):
        result = None
    assert (document, patch) == before
    _spoil(result)
    assert (document, patch) == before


def _spoil(value: Any) -> None:
    """Change every container."""
    children = list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    for child in children:
        _spoil(child)
    if isinstance(value, dict | list):
        value.clear()


@many
@given(JSON, POINTERS, POINTERS)
def test_a_move_is_a_removal_and_an_addition(document: Any, source: str, target: str) -> None:
    try:
        moved = apply_json(document, [{"op": "move", "from": source, "path": target}])
    except Unprocessable:
        return
    if source != target:
        value = _at(document, source)
        again = apply_json(document, [{"op": "remove", "path": source}, _add(target, value)])
        assert text(moved) == text(again)


def _at(document: Any, path: str) -> Any:
    for part in path.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        document = document[name] if isinstance(document, dict) else document[int(name)]
    return document


def difference(old: Any, new: Any) -> Any:
    """A merge patch that makes `new`, which has no nulls, of `old`."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    gone = {name: None for name in old if name not in new}
    return gone | {
        name: difference(old.get(name), value)
        for name, value in new.items()
        if name not in old or text(old[name]) != text(value)
    }


@many
@given(NO_NULLS, NO_NULLS)
def test_the_merge_difference_of_two_documents_makes_one_of_the_other(old: Any, new: Any) -> None:
    assert text(apply_merge(old, difference(old, new))) == text(new)


@many
@given(JSON, JSON)
def test_merging_again_changes_nothing(document: Any, patch: Any) -> None:
    once = apply_merge(document, patch)
    assert apply_merge(once, patch) == once


class Listed:
    """`items` are merged by `k`, `tags` are a set; everything else is replaced or merged."""

    def merge_key(self, path: tuple[str, ...]) -> str | None:
        return {"items": "k", "tags": ""}.get(path[-1])

    def replaces(self, path: tuple[str, ...]) -> bool:
        return False


class Unlisted(Listed):
    def merge_key(self, path: tuple[str, ...]) -> str | None:
        return None


@many
@given(OBJECTS, st.dictionaries(NAMES, JSON, max_size=4))
def test_without_keys_and_directives_a_strategic_merge_patch_is_a_merge_patch(document: Any, patch: Any) -> None:
    assert apply_strategic(document, patch, Unlisted()) == apply_merge(document, patch)


ELEMENTS = st.fixed_dictionaries({"k": st.integers(0, 5)}, optional={"v": st.integers(0, 2), "w": st.integers(0, 2)})
LISTED = st.fixed_dictionaries(
    {},
    optional={
        "items": st.lists(ELEMENTS, max_size=5, unique_by=lambda element: element["k"]),
        "tags": st.lists(st.sampled_from("xyz"), max_size=3, unique=True),
    },
)


@many
@given(LISTED, LISTED)
def test_a_strategic_merge_has_each_element_once_and_in_the_order_of_the_patch(document: Any, patch: Any) -> None:
    before = copy.deepcopy((document, patch))
    result = apply_strategic(document, patch, Listed())
    assert (document, patch) == before
    keys = [element["k"] for element in result.get("items", [])]
    old = {element["k"]: element for element in document.get("items", [])}
    new = {element["k"]: element for element in patch.get("items", [])}
    assert sorted(keys) == sorted(old.keys() | new.keys())
    assert [key for key in keys if key in new] == [*new]
    assert [key for key in keys if key not in new] == [key for key in old if key not in new]
    assert {element["k"]: element for element in result.get("items", [])} == {
        key: {**old.get(key, {}), **new.get(key, {})} for key in keys
    }
    assert sorted(result.get("tags", [])) == sorted({*document.get("tags", []), *patch.get("tags", [])})


@many
@given(LISTED, LISTED)
def test_merging_strategically_again_changes_nothing(document: Any, patch: Any) -> None:
    once = apply_strategic(document, patch, Listed())
    assert apply_strategic(once, patch, Listed()) == once


def strategic_difference(old: Any, new: Any) -> Any:
    """What kubectl sends: deletions by key, additions, and the whole order."""
    before = {element["k"]: element for element in old.get("items", [])}
    after = {element["k"]: element for element in new.get("items", [])}
    items: list[Any] = [
        element | {name: None for name in before.get(key, {}) if name not in element} for key, element in after.items()
    ]
    items += [{"k": key, "$patch": "delete"} for key in before if key not in after]
    return {
        "items": items,
        "$setElementOrder/items": [{"k": key} for key in after],
        "tags": new.get("tags", []),
        "$deleteFromPrimitiveList/tags": [tag for tag in old.get("tags", []) if tag not in new.get("tags", [])],
        "$setElementOrder/tags": new.get("tags", []),
    }


@many
@given(LISTED, LISTED)
def test_the_strategic_difference_of_two_documents_makes_one_of_the_other(old: Any, new: Any) -> None:
    result = apply_strategic(old, strategic_difference(old, new), Listed())
    assert {name: value for name, value in result.items() if value} == {
        name: value for name, value in new.items() if value
    }


PATCHES = st.dictionaries(
    st.sampled_from(
        ["a", "items", "tags", "$patch", "$retainKeys", "$setElementOrder/items", "$deleteFromPrimitiveList/tags"]
    ),
    JSON | st.just("replace") | st.lists(ELEMENTS | st.just({"k": 1, "$patch": "delete"}), max_size=3),
    max_size=4,
)


@many
@given(LISTED, PATCHES)
def test_any_strategic_patch_applies_or_is_refused(document: Any, patch: Any) -> None:
    try:
        result = apply_strategic(document, patch, Listed())
    except (Unprocessable, InvalidArgument):
        return
    assert not any(name.startswith("$") for name in result)
