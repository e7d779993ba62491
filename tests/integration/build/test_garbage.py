"""The automatic collection of the build cache, and what is in use."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from jubako.build import BuildCache, build
from jubako.build.cachemounts import CacheMounts
from jubako.build.cacheprune import PrunePolicy, matching
from jubako.build.cacheusage import MOUNT
from jubako.build.garbage import collect_cache, is_due
from jubako.spec.oci_image import DiffID, Digest
from jubako.store import Pins, sweep

from .conftest import Site
from .test_usage import held, prune

pytestmark = pytest.mark.root

MANY = 1 << 50
ONLY_MOUNTS = PrunePolicy(filters={"type": MOUNT})
MOUNTED = "FROM base\nRUN --mount=type=cache,id=mine,target=/c echo content >/c/f\n"


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def write(text: str) -> None:
        (tmp_path / "builder.toml").write_text(text)
        monkeypatch.setenv("JUBAKO_BUILDER_CONF", str(tmp_path / "builder.toml"))

    return write


class Collector:
    """Stands for the engine's: counts how often it is called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return 0


def stamp(site: Site) -> Path:
    return site.root / "cache" / "collected"


def long_ago(site: Site) -> None:
    os.utime(stamp(site), (1, 1))


def names(site: Site) -> list[str]:
    records = held(site)
    return sorted(record.description.split("] ")[-1] for record in records)


def layered(site: Site, *files: str) -> None:
    for name in files:
        site.file(name, os.urandom(3000).hex())
        site.build(f"FROM scratch\nCOPY {name} /\n", tags=[name])
        site.images.remove(name)


def test_a_build_that_added_to_the_cache_collects(site: Site, configure: Callable[[str], None]) -> None:
    layered(site, "one", "two")
    configure(f"[[gcpolicy]]\nmaxUsedSpace = {held(site)[0].size_bytes * 5 // 2}\nall = true\n")
    collect = Collector()
    site.file("three", os.urandom(3000).hex())
    site.build("FROM scratch\nCOPY three /\n", collect=collect)
    assert names(site) == ["COPY three /", "COPY two /"]
    assert collect.calls == 1


def test_it_waits_between_two_collections(site: Site, configure: Callable[[str], None]) -> None:
    configure("[[gcpolicy]]\nmaxUsedSpace = 1\nall = true\n")
    site.file("a", "1")
    site.build("FROM scratch\nCOPY a /a\n", collect=Collector())
    assert names(site) == []
    site.build(collect=Collector())
    site.build(collect=Collector())
    assert names(site) == ["COPY a /a"]
    assert not is_due(site.root, has_grown=True)
    os.utime(stamp(site), (stamp(site).stat().st_mtime - 3600,) * 2)
    assert is_due(site.root, has_grown=True)
    assert not is_due(site.root, has_grown=False)
    long_ago(site)
    site.build(collect=Collector())
    assert names(site) == []


def test_nothing_goes_that_another_build_uses(site: Site, configure: Callable[[str], None]) -> None:
    configure("[[gcpolicy]]\nall = true\nmaxUsedSpace = 1\n")
    layered(site, "one", "two")
    cache = BuildCache(site.store)
    key = next(key for key, entry in cache.entries() if "one" in entry.name)
    with site.store.leases.hold("another build") as lease:
        assert cache.find(key, lease)
        records = held(site)
        assert [record.in_use for record in records] == ["one" in record.description for record in records]
        assert matching(records, {"inuse": "true"}) == [record for record in records if record.in_use]
        site.build("FROM scratch\nCOPY two /two\n", collect=Collector())
        assert names(site) == ["COPY one /"]
    long_ago(site)
    site.build(collect=Collector())
    assert names(site) == []


def test_a_step_that_changed_nothing_is_in_use_by_its_key(site: Site) -> None:
    site.build("FROM base\nRUN true\n")
    cache = BuildCache(site.store)
    ((key, _),) = cache.entries()
    with site.store.leases.hold("another build") as lease:
        assert cache.find(key, lease)
        assert prune(site, PrunePolicy(all=True), free_bytes=MANY) == []
    assert len(prune(site, PrunePolicy(all=True), free_bytes=MANY)) == 1


def test_builds_are_right_while_everything_is_collected_all_the_time(
    site: Site, configure: Callable[[str], None]
) -> None:
    configure("[[gcpolicy]]\nall = true\n")
    done, failures = threading.Event(), list[BaseException]()

    def sweep_all() -> int:
        def roots() -> list[Digest]:
            images = [Digest(layer) for image in site.images.list() for layer in image.diff_ids]
            return [*site.images.reachable(), *images, *map(Digest, Pins(site.store.records).digests())]

        return sweep(site.store, roots).bytes + site.snapshots.sweep(lambda: map(DiffID, roots())).bytes

    def collect() -> None:
        while not done.is_set():
            guarded(lambda: (long_ago(site), collect_cache(site.drivers, sweep_all)))

    def work(number: int) -> None:
        for turn in range(4):
            text = f"FROM base\nRUN echo {number} >/a\nRUN cat /a /a >/b\nRUN echo {turn} >/c\n"
            path = site.context / f"Dockerfile.{number}"
            path.write_text(text)
            result = build(site.drivers, site.context, dockerfile=path, network="none", tags=[f"image-{number}"])
            assert site.read(result, "b") == f"{number}\n" * 2
            assert site.read(result, "c") == f"{turn}\n"

    def guarded(act: Callable[[], object]) -> None:
        try:
            act()
        except BaseException as error:
            failures.append(error)

    builds = [threading.Thread(target=guarded, args=(partial(work, number),)) for number in range(3)]
    collector = threading.Thread(target=collect)
    stamp(site).parent.mkdir(exist_ok=True)
    stamp(site).touch()
    for thread in (*builds, collector):
        thread.start()
    for thread in builds:
        thread.join()
    done.set()
    collector.join()
    assert failures == []


def test_the_defaults_take_nothing_of_a_small_cache(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUBAKO_BUILDER_CONF", str(tmp_path / "nothing"))
    layered(site, "one", "two")
    collect = Collector()
    site.build(MOUNTED, collect=collect)
    assert len(names(site)) == 4
    assert collect.calls == 0


def test_a_bad_configuration_fails_no_build(site: Site, configure: Callable[[str], None]) -> None:
    configure("colour = 1\n")
    site.build("FROM base\nRUN true\n", collect=Collector())
    assert "[Warning] the build cache was not collected: " in site.output
    assert "colour" in site.output


def test_two_do_not_collect_at_once(site: Site, configure: Callable[[str], None]) -> None:
    configure("[[gcpolicy]]\nall = true\n")
    layered(site, "one")
    stamp(site).parent.mkdir(exist_ok=True)
    with stamp(site).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        long_ago(site)
        site.build(collect=Collector())
        assert names(site) == ["COPY one /"]
    site.build(collect=Collector())
    assert names(site) == []


def test_a_cache_mount_is_a_record_of_its_own(site: Site) -> None:
    site.build(MOUNTED)
    (record,) = matching(held(site), {"type": MOUNT})
    assert record.description == "cached mount mine"
    assert record.size_bytes >= 8
    assert not record.shared
    assert not record.in_use


def test_a_cache_mount_in_use_stays(site: Site) -> None:
    site.build(MOUNTED)
    mounts = CacheMounts(site.root)
    (mount,) = mounts.list()
    with (site.root / "cache/mounts" / mount.name / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert mounts.list()[0].in_use
        assert prune(site, ONLY_MOUNTS, free_bytes=0) == []
        mounts.remove([mount.name])
        assert [each.name for each in mounts.list()] == [mount.name]
    prune(site, ONLY_MOUNTS, free_bytes=0)
    assert mounts.list() == []
    assert len(BuildCache(site.store).entries()) == 1


def test_what_a_killed_removal_left_goes_with_the_next(site: Site) -> None:
    (site.root / "cache/mounts/.gone-1/data").mkdir(parents=True)
    mounts = CacheMounts(site.root)
    assert mounts.list() == []
    mounts.remove([])
    assert list((site.root / "cache/mounts").iterdir()) == []


def test_a_mount_that_is_pruned_while_a_command_waits_for_it_is_made_again(site: Site) -> None:
    """The lock that it waited for is that of a directory which is gone by then."""
    site.build(MOUNTED)
    (mount,) = CacheMounts(site.root).list()
    path = site.root / "cache/mounts" / mount.name
    lock = (path / "lock").open()
    fcntl.flock(lock, fcntl.LOCK_EX)
    path.rename(path.with_name(".gone-2"))
    lock.close()
    site.build(MOUNTED.replace("content", "again"))
    assert (path / "data/f").read_text() == "again\n"
    CacheMounts(site.root).remove([])
