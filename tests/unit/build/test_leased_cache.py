"""The cache as one build sees it: what is here, what is elsewhere, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jubako.build.cache import BuildCache
from jubako.build.caching import Caching
from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Layer, Output
from jubako.build.graph.supply import LayerUnavailable
from jubako.build.leasedcache import LeasedCache
from jubako.build.moment import Moment
from jubako.build.options import BuildOptions
from jubako.build.solver.solver import Solution
from jubako.image.catalog import Images
from jubako.snapshot import Overlay
from jubako.spec.oci_image import LAYER_GZIP, Descriptor, DiffID
from jubako.store import Lease, Store

WHEN = "2024-05-06T07:08:09Z"


class Fake(dict[str, Output]):
    """A cache elsewhere, of which what is `proven` may be kept."""

    def __init__(self, *pairs: tuple[str, Output], proven: bool = True) -> None:
        super().__init__(pairs)
        self.proven = proven

    def offers(self, key: str) -> list[Output]:
        return [self[key]] if key in self else []

    def others(self, output: Output) -> list[str]:
        return [key for key, other in self.items() if other == output]

    def is_proven(self, output: Output) -> bool:
        return self.proven


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def lease(store: Store) -> Iterator[Lease]:
    with store.leases.hold("test") as held:
        yield held


def whole(store: Store, content: bytes) -> Output:
    """An output whose blob is here."""
    blob = store.blobs.put(content)
    descriptor = Descriptor(media_type=LAYER_GZIP, digest=blob.digest, size=blob.size)
    return Output(Layer(DiffID(f"sha256:{content[0]:064x}"), descriptor), WHEN)


def known(output: Output) -> Output:
    assert output.layer
    return Output(Layer.without_blob(output.layer.diff_id), output.created)


def test_what_is_here_comes_first(store: Store, lease: Lease) -> None:
    mine, theirs = whole(store, b"mine"), whole(store, b"theirs")
    cache = LeasedCache(BuildCache(store), lease, Fake(("k", theirs), ("other", theirs)))
    cache.put("k", mine, "RUN")
    assert cache.find("k", "RUN") == mine
    assert cache.find("other", "RUN") == theirs
    assert cache.find("nothing", "RUN") is None
    assert cache.used == {"k": mine, "other": theirs}


def test_a_layer_elsewhere_is_better_than_none(store: Store, lease: Lease) -> None:
    theirs = whole(store, b"theirs")
    BuildCache(store).put("k", known(theirs), "RUN")
    assert LeasedCache(BuildCache(store), lease, Fake(("k", theirs))).find("k", "RUN") == theirs
    assert LeasedCache(BuildCache(store), lease, Fake(("k", known(theirs)))).find("k", "RUN") == known(theirs)
    assert LeasedCache(BuildCache(store), lease).find("k", "RUN") == known(theirs)


def test_what_is_refused_is_not_found_again(store: Store, lease: Lease) -> None:
    mine, theirs = whole(store, b"mine"), whole(store, b"theirs")
    BuildCache(store).put("k", mine, "RUN")
    cache = LeasedCache(BuildCache(store), lease, Fake(("k", theirs)))
    assert cache.find("k", "RUN") == mine
    assert mine.layer
    assert theirs.layer
    assert cache.refuse([mine.layer])
    assert cache.used == {}
    assert cache.find("k", "RUN") == theirs
    assert cache.refuse([theirs.layer])
    assert cache.find("k", "RUN") is None
    assert not cache.refuse([mine.layer, theirs.layer])


@pytest.mark.parametrize("proven", [True, False])
def test_what_was_borrowed_is_kept_as_far_as_it_is_proven(store: Store, lease: Lease, proven: bool) -> None:
    theirs, nothing = whole(store, b"theirs"), Output(None, WHEN)
    cache = LeasedCache(BuildCache(store), lease, Fake(("k", theirs), ("empty", nothing), proven=proven))
    cache.find("k", "RUN one")
    cache.find("empty", "RUN true")
    cache.keep_borrowed()
    entries = dict(BuildCache(store).entries())
    assert entries["k"].output == (theirs if proven else known(theirs))
    assert entries["k"].name == "RUN one"
    assert ("empty" in entries) == proven


def test_what_is_only_known_pins_nothing(store: Store, lease: Lease) -> None:
    BuildCache(store).put("k", known(whole(store, b"x")), "RUN")
    assert store.records.collection("pin", dict).keys() == []
    BuildCache(store).put("k", whole(store, b"x"), "RUN")
    assert len(store.records.collection("pin", dict).keys()) == 2


def test_a_fresh_build_finds_nothing_and_keeps_all(store: Store, lease: Lease) -> None:
    output = whole(store, b"x")
    cache = LeasedCache(BuildCache(store), lease, Fake(("k", output)), fresh=True)
    assert cache.find("k", "RUN") is None
    cache.put("k", output, "RUN")
    assert cache.find("k", "RUN") is None
    assert cache.known() == {"k": output}


def test_what_changed_while_it_was_copied_is_not_kept(store: Store, lease: Lease) -> None:
    cache = LeasedCache(BuildCache(store), lease)
    cache.put("k", Output(None, WHEN, settled=False), "COPY")
    assert cache.known() == {}
    assert not cache.has_grown


def test_all_keys_of_an_output_are_known(store: Store, lease: Lease) -> None:
    output, other = whole(store, b"x"), Output(None, WHEN)
    BuildCache(store).put("content", output, "COPY")
    BuildCache(store).put("elsewhere", output, "another step")
    cache = LeasedCache(BuildCache(store), lease, Fake(("far", output), ("empty", other)))
    cache.put("cheap", output, "COPY")
    assert cache.known() == {"cheap": output, "content": output, "far": output}


def test_a_build_begins_again_without_a_layer_that_can_not_be_had(store: Store, lease: Lease) -> None:
    layer = whole(store, b"x").layer
    assert layer
    caching = Caching(BuildOptions())
    cache = caching.open(None, store, Images(store), lease, None)  # type: ignore[arg-type]
    bench = Bench(store, Overlay(store), lease, Moment())
    passes: list[list[str]] = []

    def solve() -> Solution:  # type: ignore[type-arg]
        passes.append(list(cache.used))
        cache.used["k"] = Output(None, WHEN)
        if len(passes) == 1:
            raise LayerUnavailable([layer])
        return Solution()

    caching.solved(solve, [], bench)
    assert passes == [[], []]


def test_a_build_does_not_begin_again_for_ever(store: Store, lease: Lease) -> None:
    layer = whole(store, b"x").layer
    assert layer
    caching = Caching(BuildOptions())
    caching.open(None, store, Images(store), lease, None)  # type: ignore[arg-type]

    def solve() -> Solution:  # type: ignore[type-arg]
        raise LayerUnavailable([layer], "it is gone")

    with pytest.raises(LayerUnavailable, match="it is gone"):
        caching.solved(solve, [], Bench(store, Overlay(store), lease, Moment()))
