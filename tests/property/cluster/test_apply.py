"""Server-side apply: again it changes nothing, who say different things commute, who gives up takes only his own."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.property.cluster.generated import KINDS, generated

from jubako.cluster import fields
from jubako.cluster.fields import MANAGED, Writing, shape_of
from jubako.cluster.fields.comparing import compare
from jubako.cluster.types.decoding.body import conform
from jubako.cluster.types.defaulting import default
from jubako.cluster.types.document import Object
from jubako.cluster.types.empty import empty
from jubako.cluster.types.resources import kind
from jubako.cluster.types.served import Kind

many = settings(max_examples=150, deadline=None)
DEPLOYMENT = kind("apps/v1", "Deployment")
assert DEPLOYMENT
SHAPE = shape_of(DEPLOYMENT.message_name)
KEYS = {"containers": "name", "env": "name", "ports": "containerPort", "volumes": "name", "volumeMounts": "mountPath"}


def completed(document: Object) -> Object:
    made, _ = conform(DEPLOYMENT, document, "Ignore")
    default(DEPLOYMENT, made)
    return made


OF = fields.Kind(SHAPE, empty(DEPLOYMENT.message), completed)


def applied(live: Object | None, config: Object, manager: str, *, force: bool = False) -> Object:
    """Apply as the server does, and return what is stored then."""
    writing = Writing(manager=manager, operation="Apply", api_version="apps/v1", time="2026-01-01T00:00:00Z")
    return fields.applied(OF, live or OF.empty, config, writing, force=force)


# What one may say of a deployment: each by its path, so that two who say different ones do not meet.
FACETS: dict[str, tuple[tuple[str, ...], st.SearchStrategy[Any]]] = {
    "replicas": (("spec", "replicas"), st.integers(0, 5)),
    "paused": (("spec", "paused"), st.booleans()),
    "label": (("metadata", "labels", "a"), st.sampled_from(["x", "y"])),
    "other label": (("metadata", "labels", "b"), st.sampled_from(["x", "y"])),
    "annotation": (("metadata", "annotations", "n"), st.sampled_from(["x", "y"])),
    "strategy": (("spec", "strategy", "type"), st.sampled_from(["Recreate", "RollingUpdate"])),
    "selector": (("spec", "selector"), st.sampled_from([{"matchLabels": {"a": "b"}}, {"matchLabels": {"c": "d"}}])),
    "node": (("spec", "template", "spec", "nodeSelector"), st.just({"a": "b"})),
    "finalizer": (("metadata", "finalizers"), st.just(["example.com/one"])),
    "other finalizer": (("metadata", "finalizers"), st.just(["example.com/two"])),
    **{
        f"container {name}": (
            ("spec", "template", "spec", "containers"),
            st.fixed_dictionaries(
                {"name": st.just(name), "image": st.sampled_from(["i", "j"])},
                optional={
                    "env": st.just([{"name": "E", "value": "v"}]),
                    "ports": st.just([{"containerPort": 80}]),
                    "resources": st.just({"limits": {"cpu": "500m"}}),
                },
            ).map(lambda container: [container]),
        )
        for name in ("one", "two", "three")
    },
}
SAID = st.fixed_dictionaries({}, optional={name: values for name, (_, values) in FACETS.items()})


def config(said: dict[str, Any]) -> Object:
    """A document that says just this."""
    document: Any = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}}
    for name, value in said.items():
        path = FACETS[name][0]
        held = document
        for step in path[:-1]:
            held = held.setdefault(step, {})
        held[path[-1]] = [*held.get(path[-1], []), *copy.deepcopy(value)] if isinstance(value, list) else value
    return document


BASE = config({"selector": {"matchLabels": {"a": "b"}}})


def comparable(document: Object) -> str:
    """The document without its managers, and with lists whose elements have keys in one order."""

    def plain(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: plain(held, key) for key, held in value.items() if key != MANAGED}
        if isinstance(value, list):
            return sorted((plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        return value

    return json.dumps(plain(document), sort_keys=True)


@many
@given(SAID, SAID)
def test_to_apply_again_changes_nothing(before: dict[str, Any], said: dict[str, Any]) -> None:
    live = applied(applied(None, config(before), "other"), config(said), "me", force=True)
    again = applied(live, config(said), "me")
    assert fields.settled(again, live) is live


@many
@given(SAID, st.data())
def test_appliers_who_say_different_things_commute(said: dict[str, Any], data: st.DataObject) -> None:
    mine = data.draw(st.sets(st.sampled_from(sorted(said)))) if said else set()
    one, other = (config({n: v for n, v in said.items() if (n in mine) is chosen}) for chosen in (True, False))
    there = applied(applied(applied(None, BASE, "base"), one, "one", force=True), other, "other", force=True)
    back = applied(applied(applied(None, BASE, "base"), other, "other", force=True), one, "one", force=True)
    assert comparable(there) == comparable(back)


@many
@given(SAID, SAID)
def test_who_gives_up_all_takes_only_what_nobody_else_has(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    theirs = {**theirs, **{name: mine[name] for name in theirs if name in mine}}  # shared where both say it
    without_me = applied(applied(None, BASE, "base"), config(theirs), "them", force=True)
    with_me = applied(without_me, config(mine), "me", force=True)
    shared = "selector" in mine and "selector" not in theirs  # taken from the base, and now nobody's
    assume(not shared or mine["selector"] == BASE["spec"]["selector"])  # type: ignore[index,call-overload]
    assert comparable(applied(with_me, config({}), "me")) == comparable(without_me)


@pytest.mark.parametrize("of", KINDS, ids=lambda of: f"{of.api_version}.{of.name}")
@given(seed=st.integers(0, 2**32), other=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None)
def test_what_is_applied_is_there_whatever_was(of: Kind, seed: int, other: int) -> None:
    shape, nothing = shape_of(of.message_name), empty(of.message)
    live, wanted = (conform(of, generated(of, number))[0] for number in (seed, other))
    assume(not fields.problems(shape, live) and not fields.problems(shape, wanted))
    for document in (live, wanted):
        document.get("metadata", {}).pop(MANAGED, None)  # type: ignore[union-attr,call-arg]
    before = copy.deepcopy((live, wanted))
    writing = Writing(manager="m", operation="Apply", api_version=of.api_version, time="")
    made = fields.applied(fields.Kind(shape, nothing), live, wanted, writing, force=True)
    assert (live, wanted) == before
    changes = compare(shape, wanted, made)
    assert not {**changes.removed, **changes.modified} or _only_empties(wanted, made)


def _only_empties(wanted: Any, made: Any) -> bool:
    """Whether all that is wanted is there, but for empty objects and nulls, which want nothing."""
    if isinstance(wanted, dict) and isinstance(made, dict):
        return all(not held or (name in made and _only_empties(held, made[name])) for name, held in wanted.items())
    if isinstance(wanted, list) and isinstance(made, list):
        return all(any(_only_empties(item, found) for found in made) for item in wanted)
    return not wanted or wanted == made
