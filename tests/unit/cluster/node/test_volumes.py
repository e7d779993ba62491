"""What a pod's volumes have in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jubako.cluster.node.environment import Facts, Missing
from jubako.cluster.node.volumes import File, Volumes, project
from jubako.cluster.types.document import Object

MAP: Object = {"kind": "ConfigMap", "data": {"one": "1", "two": "2"}}


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    def look(kind: str, name: str) -> Object | None:
        return MAP if (kind, name) == ("ConfigMap", "map") else None

    return Volumes(tmp_path / "disk", tmp_path / "memory", look, lambda source: "token", lambda name: None)


def pod(*of: Object) -> Object:
    return {"metadata": {"uid": "u", "name": "p", "namespace": "n"}, "spec": {"volumes": list(of)}}


def read(path: Path) -> dict[str, str]:
    return {entry.name: entry.read_text() for entry in path.iterdir() if not entry.name.startswith("..")}


def test_a_config_map_is_files(volumes: Volumes) -> None:
    made = volumes.make(pod({"name": "v", "configMap": {"name": "map"}}), Facts())
    assert read(made["v"]) == {"one": "1", "two": "2"}


def test_chosen_entries_have_chosen_names_and_modes(volumes: Volumes) -> None:
    items: list[Object] = [{"key": "one", "path": "deep/er", "mode": 0o400}]
    made = volumes.make(pod({"name": "v", "configMap": {"name": "map", "items": [*items]}}), Facts())
    assert (made["v"] / "deep/er").read_text() == "1"
    assert (made["v"] / "deep/er").stat().st_mode & 0o777 == 0o400
    assert not (made["v"] / "two").exists()


def test_a_projection_puts_sources_together(volumes: Volumes) -> None:
    sources: list[Object] = [
        {"configMap": {"name": "map"}},
        {"serviceAccountToken": {"path": "token"}},
        {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    made = volumes.make(pod({"name": "v", "projected": {"sources": [*sources]}}), Facts())
    assert read(made["v"]) == {"one": "1", "two": "2", "token": "token", "ns": "n"}


def test_what_is_missing_is_named_unless_it_is_optional(volumes: Volumes) -> None:
    with pytest.raises(Missing, match='secret "none" not found'):
        volumes.make(pod({"name": "v", "secret": {"secretName": "none"}}), Facts())
    made = volumes.make(pod({"name": "v", "secret": {"secretName": "none", "optional": True}}), Facts())
    assert read(made["v"]) == {}


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "..data", ""])
def test_no_file_comes_outside(volumes: Volumes, path: str) -> None:
    items: list[Object] = [{"key": "one", "path": path}]
    with pytest.raises(Missing, match="invalid path"):
        volumes.make(pod({"name": "v", "configMap": {"name": "map", "items": [*items]}}), Facts())


def test_an_empty_directory_stays_as_it_is_filled(volumes: Volumes) -> None:
    whole = pod({"name": "v", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}})
    made = volumes.make(whole, Facts())
    (made["v"] / "file").write_text("x")
    assert volumes.make(whole, Facts()) == made
    assert read(made["v"]) == {"file": "x"}
    volumes.remove("u")
    assert not made["v"].exists()
    assert not made["m"].exists()


def test_a_new_state_comes_all_at_once_and_the_same_state_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v"
    project(path, {"a": File(b"1", 0o644), "b": File(b"1", 0o644)}, -1)
    before = os.readlink(path / "..data")
    project(path, {"a": File(b"1", 0o644), "b": File(b"1", 0o644)}, -1)
    assert os.readlink(path / "..data") == before
    project(path, {"a": File(b"2", 0o644)}, -1)
    assert read(path) == {"a": "2"}
    assert sorted(entry.name for entry in path.iterdir() if entry.name != "..data") == [
        os.readlink(path / "..data"),
        "a",
    ]
