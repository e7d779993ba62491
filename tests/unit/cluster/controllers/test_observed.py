from __future__ import annotations

from typing import Any

from jubako.cluster.controllers.kinds import POD, Key
from jubako.cluster.controllers.observed import Cache, Observed


def pod(name: str, revision: int, owner: str = "") -> dict[str, Any]:
    references = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": owner, "controller": True}]
    metadata = {
        "name": name,
        "namespace": "n",
        "resourceVersion": str(revision),
        "ownerReferences": references * bool(owner),
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def test_an_older_version_never_replaces_a_newer_one() -> None:
    cache = Cache()
    assert cache.put(pod("a", 5))
    assert not cache.put(pod("a", 4))
    assert not cache.put(pod("a", 5))
    found = cache.find(POD, Key("n", "a"))
    assert found is not None
    assert found["metadata"] == pod("a", 5)["metadata"]


def test_what_was_removed_does_not_come_back_by_what_the_watch_brings_late() -> None:
    cache = Cache()
    cache.put(pod("a", 5))
    assert cache.remove(pod("a", 9), 9)
    assert not cache.put(pod("a", 7))
    assert cache.put(pod("a", 11))


def test_a_deletion_older_than_the_object_is_that_of_its_predecessor() -> None:
    cache = Cache()
    cache.put(pod("a", 11))
    assert not cache.remove(pod("a", 9), 9)
    assert cache.find(POD, Key("n", "a")) is not None


def test_an_answer_that_comes_after_the_watch_has_told_of_the_end_brings_nothing_back() -> None:
    cache = Cache()
    cache.put(pod("a", 5))
    cache.remove(pod("a", 9), 9)
    for reached in (8, 9):
        cache.reached(POD, reached)
        assert not cache.put(pod("a", 7))
    assert cache.put(pod("a", 10))


def test_a_list_takes_away_what_is_not_in_it_and_keeps_what_is_newer() -> None:
    cache = Cache()
    for name, revision in (("old", 5), ("same", 6), ("newer", 20)):
        cache.put(pod(name, revision))
    changed = cache.replace(POD, [pod("same", 6), pod("new", 8)], 10)
    assert sorted(each["metadata"]["name"] for each in changed) == ["new", "old"]  # type: ignore[index, call-overload]
    assert {key.name for key in (Key("n", "same"), Key("n", "newer"), Key("n", "new")) if cache.find(POD, key)} == {
        "same",
        "newer",
        "new",
    }


def test_dependents_follow_their_owner_references() -> None:
    cache = Cache()
    cache.put(pod("a", 1, "u1"))
    cache.put(pod("b", 2, "u1"))
    cache.put(pod("b", 3, "u2"))
    observed = Observed(cache, 0.0)
    owner = {"metadata": {"uid": "u1"}}
    assert [each["metadata"]["name"] for each in observed.controlled(POD, owner)] == ["a"]  # type: ignore[index, call-overload]
    cache.remove(pod("a", 4), 4)
    assert observed.dependents("u1") == []
