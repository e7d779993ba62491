"""What the cache holds, and which of it is pruned."""

from __future__ import annotations

import os
from collections.abc import Collection

import pytest

from jubako.build import BuildCache
from jubako.build.cachemounts import CacheMounts
from jubako.build.cacheprune import PrunePolicy, choose, matching, remove
from jubako.build.cacheusage import CacheRecord, usage
from jubako.errors import InvalidArgument

from .conftest import Site

pytestmark = pytest.mark.root

MANY = 1 << 50


@pytest.fixture
def cache(site: Site) -> BuildCache:
    """Three layers: two of an image, and one of an image that is gone."""
    for name in ("one", "two", "three"):
        site.file(name, os.urandom(3000).hex())
    site.build("FROM scratch\nCOPY one /\nCOPY two /\n")
    site.build("FROM scratch\nCOPY three /\n", tags=["gone"])
    site.images.remove("gone")
    return BuildCache(site.store)


def layers(site: Site) -> set[str]:
    return {layer for image in site.images.list() for layer in image.diff_ids}


def held(site: Site, shared: Collection[str] = ()) -> list[CacheRecord]:
    return usage(BuildCache(site.store), CacheMounts(site.root), site.snapshots.layer_path, shared)


def prune(site: Site, policy: PrunePolicy, *, free_bytes: int, shared: Collection[str] = ()) -> list[CacheRecord]:
    taken = choose(held(site, shared), policy, free_bytes=free_bytes)
    remove(taken, BuildCache(site.store), CacheMounts(site.root))
    return taken


def names(records: list[CacheRecord]) -> list[str]:
    return sorted(record.description.split()[-2] for record in records)


def test_usage_tells_layers_once_and_whether_an_image_shares_them(site: Site, cache: BuildCache) -> None:
    records = held(site, layers(site))
    assert names(records) == ["one", "three", "two"]
    assert names([record for record in records if record.shared]) == ["one", "two"]
    assert all(record.size_bytes > 3000 for record in records)


def test_layer_that_two_keys_lead_to_is_counted_once(site: Site) -> None:
    site.file("a", "1")
    site.build("FROM scratch AS one\nCOPY a /\nFROM scratch\nCOPY --from=one a /\n")
    records = held(site)
    assert len(BuildCache(site.store).entries()) == 3
    assert sum(len(record.keys) for record in records) == 3
    assert len({record.id for record in records}) == len(records) <= 2


def test_shared_layers_stay_unless_all_is_asked_for(site: Site, cache: BuildCache) -> None:
    assert len(prune(site, PrunePolicy(), free_bytes=MANY, shared=layers(site))) == 1
    assert names(held(site)) == ["one", "two"]
    assert len(prune(site, PrunePolicy(all=True), free_bytes=MANY, shared=layers(site))) == 2
    assert cache.entries() == []


def test_only_what_was_not_used_for_long_goes(site: Site, cache: BuildCache) -> None:
    assert prune(site, PrunePolicy(unused_for_ns=3600 * 10**9), free_bytes=MANY) == []
    assert len(prune(site, PrunePolicy(unused_for_ns=0), free_bytes=MANY)) == 3


@pytest.mark.parametrize(
    ("spaces", "free", "left"),
    [
        ({"max_used_bytes": 0.1}, 99, 0),
        ({"max_used_bytes": 99}, 99, 3),
        ({"max_used_bytes": 0.1, "reserved_bytes": 99}, 0, 3),
        ({"reserved_bytes": 2.5}, 99, 2),
        ({"min_free_bytes": 1.5}, 1.2, 2),
        ({"min_free_bytes": 1.5}, 1.5, 3),
    ],
)
def test_as_much_goes_as_the_spaces_ask_for(
    site: Site, cache: BuildCache, spaces: dict[str, float], free: float, left: int
) -> None:
    """All in layers."""
    size_bytes = max(record.size_bytes for record in held(site))
    policy = PrunePolicy(**{name: int(space * size_bytes) for name, space in spaces.items()})  # type: ignore[arg-type]
    prune(site, policy, free_bytes=int(free * size_bytes))
    assert len(held(site)) == left


def test_a_layer_counts_as_what_it_takes_on_disk(site: Site) -> None:
    site.file("zeros", bytes(1 << 20))
    result = site.build("FROM scratch\nCOPY zeros /\n")
    (record,) = held(site)
    blob = site.image(result).manifest.layers[0]
    assert record.size_bytes >= blob.size + (1 << 20)
    site.snapshots.sweep(list)
    assert held(site) == [record]
    ((_, entry),) = BuildCache(site.store).entries()
    assert entry.unpacked_bytes == record.size_bytes - blob.size


def test_what_images_share_counts_when_all_is_asked_for(site: Site, cache: BuildCache) -> None:
    assert len(prune(site, PrunePolicy(all=True, max_used_bytes=1), free_bytes=MANY, shared=layers(site))) == 3


def test_least_recently_used_goes_first(site: Site, cache: BuildCache) -> None:
    newest = held(site)[0]
    prune(site, PrunePolicy(max_used_bytes=newest.size_bytes), free_bytes=MANY)
    assert [record.id for record in held(site)] == [newest.id]


def test_filters_choose_records(site: Site, cache: BuildCache) -> None:
    records = held(site, layers(site))
    assert names(matching(records, {"private": ""})) == ["three"]
    assert names(matching(records, {"shared": "true"})) == ["one", "two"]
    assert matching(records, {"id": records[0].id}) == [records[0]]
    assert names(matching(records, {"description": "COPY two"})) == ["two"]
    with pytest.raises(InvalidArgument, match="invalid filter 'colour'"):
        matching(records, {"colour": "red"})


def test_pruned_layers_are_built_again(site: Site, cache: BuildCache) -> None:
    prune(site, PrunePolicy(all=True), free_bytes=MANY)
    result = site.build("FROM scratch\nCOPY one /\nCOPY two /\n")
    assert site.cached() == []
    assert site.names(result, ".") == ["one", "two"]
