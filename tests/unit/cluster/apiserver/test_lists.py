"""list and watch."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from tests.unit.cluster.apiserver.conftest import Cluster, Play, named

from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.apiserver.objects.reading import Selection, listing
from jubako.cluster.apiserver.objects.watching import Notice, Watching, watch
from jubako.cluster.types.document import Object, at, child
from jubako.cluster.types.resources import resource

MAPS = "/api/v1/namespaces/default/configmaps"


def maps(**options: Any) -> Selection:
    found = resource("", "v1", "configmaps")
    assert found is not None
    return Selection(resource=found, namespace="default", **options)


def is_red(document: Object) -> bool:
    return at(document, "metadata", "labels", "color") == "red"


def paint(color: str) -> Any:
    def change(document: Object) -> Object:
        child(document, "metadata")["labels"] = {"color": color}
        return document

    return change


def names(items: Sequence[Any]) -> list[str]:
    return [item.key.rpartition("/")[2] for item in items]


async def told(notices: AsyncGenerator[Sequence[Notice], None], count: int) -> list[Notice]:
    found: list[Notice] = []
    while len(found) < count:
        found += await anext(notices)
    return found


def shown(notices: Sequence[Notice]) -> list[tuple[str, str]]:
    return [(each.kind, each.item.key.rpartition("/")[2] if each.item else "") for each in notices]


def test_pages_show_one_state_whatever_happens_between_them(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        for name in "abcde":
            await cluster.create(MAPS, named(name))
        first = listing(cluster.api.store, maps(limit=2))
        assert (names(first.items), first.remaining) == (["a", "b"], 3)
        await cluster.delete(f"{MAPS}/d")
        await cluster.create(MAPS, named("cc"))
        second = listing(cluster.api.store, maps(limit=2, token=first.more))
        third = listing(cluster.api.store, maps(limit=2, token=second.more))
        assert names(second.items) + names(third.items) == ["c", "d", "e"]
        assert (second.revision, third.more, third.remaining) == (first.revision, "", None)

    play(scene)


def test_pages_of_a_selection_are_full_and_end(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        for number in range(9):
            color = "red" if number % 2 else "blue"
            await cluster.create(MAPS, named(f"m{number}", labels={"color": color}))
        first = listing(cluster.api.store, maps(limit=3, keep=is_red))
        second = listing(cluster.api.store, maps(limit=3, keep=is_red, token=first.more))
        assert (names(first.items), names(second.items)) == (["m1", "m3", "m5"], ["m7"])
        assert second.more == ""

    play(scene)


def test_a_selection_without_a_limit_goes_past_what_it_leaves_out(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        for number in range(3):
            await cluster.create(MAPS, named(f"m{number}", labels={"color": "red" if number == 1 else "blue"}))
        assert names(listing(cluster.api.store, maps(keep=is_red)).items) == ["m1"]

    play(scene)


def test_a_token_that_is_old_or_made_up_is_refused(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        for name in "abc":
            await cluster.create(MAPS, named(name))
        token = listing(cluster.api.store, maps(limit=1)).more
        await cluster.create(MAPS, named("d"))
        await cluster.api.store.compact(cluster.api.store.revision)
        for wrong, code in ((token, 410), ("AAAA", 400), ("e30=", 400)):
            with pytest.raises(Failure) as refused:
                listing(cluster.api.store, maps(limit=1, token=wrong))
            assert refused.value.code == code

    play(scene)


def test_the_rest_of_a_list_that_is_too_old_can_be_had_as_it_is_by_now(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        for name in "abcd":
            await cluster.create(MAPS, named(name))
        token = listing(cluster.api.store, maps(limit=1)).more
        await cluster.create(MAPS, named("aa"))
        await cluster.delete(f"{MAPS}/c")
        await cluster.api.store.compact(cluster.api.store.revision)
        with pytest.raises(Failure) as refused:
            listing(cluster.api.store, maps(limit=1, token=token))
        rest = str(at(refused.value.status, "metadata", "continue"))
        page = listing(cluster.api.store, maps(limit=1, token=rest))
        assert (names(page.items), page.revision) == (["aa"], cluster.api.store.revision)
        assert names(listing(cluster.api.store, maps(limit=5, token=page.more)).items) == ["b", "d"]

    play(scene)


def test_a_version_that_is_yet_to_come_is_a_timeout(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        with pytest.raises(Failure, match="Too large resource version") as refused:
            listing(cluster.api.store, maps(version="99999"))
        assert refused.value.code == 504

    play(scene)


def test_a_watch_goes_on_from_a_version(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        first = await cluster.create(MAPS, named("a"))
        await cluster.create(MAPS, named("b"))
        await cluster.update(f"{MAPS}/a", paint("red"))
        gone = await cluster.delete(f"{MAPS}/b")
        version = str(at(first, "metadata", "resourceVersion"))
        async with aclosing(watch(cluster.api.store, Watching(selection=maps(version=version)))) as notices:
            found = await told(notices, 3)
        assert shown(found) == [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
        assert found[2].item == gone.item

    play(scene)


def test_what_comes_into_a_selection_is_added_and_what_goes_out_of_it_deleted(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        await cluster.create(MAPS, named("a"))
        begun = str(cluster.api.store.revision)
        asked = Watching(selection=maps(version=begun, keep=is_red))
        for color in ("blue", "red", "red", "blue"):
            await cluster.update(f"{MAPS}/a", paint(color))
        await cluster.update(f"{MAPS}/a", lambda old: {**old, "data": {"x": "y"}})
        await cluster.update(f"{MAPS}/a", paint("red"))
        async with aclosing(watch(cluster.api.store, asked)) as notices:
            found = await told(notices, 3)
        assert shown(found) == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a")]
        assert found[1].item is not None
        assert is_red(stored.decode(found[1].item))

    play(scene)


def test_a_watch_list_begins_with_the_state_and_says_where_it_ends(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        for name in "ab":
            await cluster.create(MAPS, named(name))
        asked = Watching(selection=maps(), bookmarks=True, initial=True)
        async with aclosing(watch(cluster.api.store, asked)) as notices:
            found = await told(notices, 3)
        assert shown(found) == [("ADDED", "a"), ("ADDED", "b"), ("BOOKMARK", "")]
        assert at(found[2].document, "metadata", "annotations", "k8s.io/initial-events-end") == "true"
        assert at(found[2].document, "metadata", "resourceVersion") == str(cluster.api.store.revision)

    play(scene)


def test_a_watch_from_what_is_forgotten_is_refused_before_it_begins(play: Play) -> None:
    async def scene(cluster: Cluster) -> None:
        begun = str(cluster.api.store.revision)
        for name in "ab":
            await cluster.create(MAPS, named(name))
        await cluster.api.store.compact(cluster.api.store.revision)
        with pytest.raises(Failure) as refused:
            await anext(watch(cluster.api.store, Watching(selection=maps(version=begun))))
        assert (refused.value.code, refused.value.status["reason"]) == (410, "Expired")

    play(scene)
