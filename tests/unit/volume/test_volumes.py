from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from jubako.errors import Conflict, InvalidArgument, NotFound
from jubako.store import Store
from jubako.volume import Volumes


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


@pytest.fixture
def volumes(store: Store) -> Volumes:
    return Volumes(store)


def test_a_new_volume_is_an_empty_directory(volumes: Volumes) -> None:
    volume = volumes.create("web", {"a": "b"})
    assert os.listdir(volume.path) == []
    assert (volume.name, volume.labels, volume.anonymous) == ("web", {"a": "b"}, False)
    assert volumes.get("web") == volume
    assert volumes.list() == [volume]


def test_creating_it_again_returns_it_as_it_is(volumes: Volumes) -> None:
    first = volumes.create("web", {"a": "b"})
    (first.path / "data").write_text("x")
    assert volumes.create("web", {"c": "d"}) == first
    assert (first.path / "data").exists()


def test_without_a_name_it_is_anonymous(volumes: Volumes) -> None:
    volume = volumes.create()
    assert volume.anonymous
    assert len(volume.name) == 64


@pytest.mark.parametrize("name", ["", "/", "..", "../x", "a/b", "-a", "a b", "a\n", "é", "a" * 256])
def test_names_are_one_harmless_path_component(volumes: Volumes, name: str) -> None:
    with pytest.raises(InvalidArgument, match="includes invalid characters"):
        volumes.create(name)


def test_what_is_absent_is_not_found(volumes: Volumes) -> None:
    for call in (volumes.get, volumes.remove):
        with pytest.raises(NotFound, match="No such volume: none"):
            call("none")


def test_removal_takes_the_data(volumes: Volumes, store: Store) -> None:
    volume = volumes.create("web")
    (volume.path / "data").write_text("x")
    volumes.remove("web")
    assert volumes.list() == []
    assert os.listdir(store.root / "volumes") == os.listdir(store.ingest.path) == []
    assert os.listdir(volumes.create("web").path) == []


def test_a_volume_in_use_stays(volumes: Volumes) -> None:
    volume = volumes.create("web")
    (volume.path / "data").write_text("x")
    with pytest.raises(Conflict, match=r"volume is in use - \[c1, c2\]"):
        volumes.remove("web", users=lambda name: ["c1", "c2"])
    assert (volumes.get("web").path / "data").exists()


def test_prune_takes_anonymous_volumes_that_nobody_uses(volumes: Volumes) -> None:
    named, used, unused = volumes.create("web"), volumes.create(), volumes.create()
    names, freed = volumes.prune(users=lambda name: ["c"] if name == used.name else [])
    assert list(names) == [unused.name]
    assert freed.count == 1
    assert {volume.name for volume in volumes.list()} == {named.name, used.name}
    assert list(volumes.prune(named=True)[0]) == sorted([used.name, "web"])


def test_a_volume_whose_directory_was_not_made_yet_gets_it(volumes: Volumes) -> None:
    shutil.rmtree(volumes.create("web").path.parent)
    assert volumes.get("web").path.is_dir()
