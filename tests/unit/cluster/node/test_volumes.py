"""What a pod's volumes have in them."""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path

import pytest

from jubako.cluster.controllers.volumes.made import made
from jubako.cluster.node.environment import Facts, Missing
from jubako.cluster.node.volumes import claims, ownership, tokens
from jubako.cluster.node.volumes.atomic import File, project
from jubako.cluster.node.volumes.pod import Volumes
from jubako.cluster.node.volumes.references import POD, TOKEN, Source
from jubako.cluster.types.document import Object, at, mapping

MAP: Object = {"kind": "ConfigMap", "data": {"one": "1", "two": "2"}}


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    def look(kind: str, name: str) -> Object | None:
        return MAP if (kind, name) == ("ConfigMap", "map") else None

    return Volumes(tmp_path / "disk", tmp_path / "memory", look, lambda source: "token", lambda pod, name: None)


def pod(*of: Object) -> Object:
    return {"metadata": {"uid": "u", "name": "p", "namespace": "n"}, "spec": {"volumes": list(of)}}


def read(path: Path) -> dict[str, str]:
    return {entry.name: entry.read_text() for entry in path.iterdir() if not entry.name.startswith("..")}


def test_a_config_map_is_files(volumes: Volumes) -> None:
    made = volumes.make(pod({"name": "v", "configMap": {"name": "map"}}), Facts())
    assert read(made["v"].path) == {"one": "1", "two": "2"}


def test_chosen_entries_have_chosen_names_and_modes(volumes: Volumes) -> None:
    items: list[Object] = [{"key": "one", "path": "deep/er", "mode": 0o400}]
    made = volumes.make(pod({"name": "v", "configMap": {"name": "map", "items": [*items]}}), Facts())
    assert (made["v"].path / "deep/er").read_text() == "1"
    assert (made["v"].path / "deep/er").stat().st_mode & 0o777 == 0o400
    assert not (made["v"].path / "two").exists()


def test_a_projection_puts_sources_together(volumes: Volumes) -> None:
    sources: list[Object] = [
        {"configMap": {"name": "map"}},
        {"serviceAccountToken": {"path": "token"}},
        {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    made = volumes.make(pod({"name": "v", "projected": {"sources": [*sources]}}), Facts())
    assert read(made["v"].path) == {"one": "1", "two": "2", "token": "token", "ns": "n"}


def test_what_is_missing_is_named_unless_it_is_optional(volumes: Volumes) -> None:
    with pytest.raises(Missing, match='secret "none" not found'):
        volumes.make(pod({"name": "v", "secret": {"secretName": "none"}}), Facts())
    made = volumes.make(pod({"name": "v", "secret": {"secretName": "none", "optional": True}}), Facts())
    assert read(made["v"].path) == {}


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "..data", ""])
def test_no_file_comes_outside(volumes: Volumes, path: str) -> None:
    items: list[Object] = [{"key": "one", "path": path}]
    with pytest.raises(Missing, match="invalid path"):
        volumes.make(pod({"name": "v", "configMap": {"name": "map", "items": [*items]}}), Facts())


def test_an_empty_directory_stays_as_it_is_filled(volumes: Volumes) -> None:
    whole = pod({"name": "v", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}})
    made = volumes.make(whole, Facts())
    (made["v"].path / "file").write_text("x")
    assert volumes.make(whole, Facts()) == made
    assert read(made["v"].path) == {"file": "x"}
    volumes.remove("u")
    assert not made["v"].path.exists()
    assert not made["m"].path.exists()


def test_a_new_state_comes_all_at_once_and_the_same_state_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v"
    project(path, {"a": File(b"1", 0o644), "b": File(b"1", 0o644)})
    before = os.readlink(path / "..data")
    project(path, {"a": File(b"1", 0o644), "b": File(b"1", 0o644)})
    assert os.readlink(path / "..data") == before
    project(path, {"a": File(b"2", 0o644)})
    assert read(path) == {"a": "2"}
    assert sorted(entry.name for entry in path.iterdir() if entry.name != "..data") == [
        os.readlink(path / "..data"),
        "a",
    ]


def test_only_what_has_changed_is_renewed(volumes: Volumes) -> None:
    labels: Object = {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels['a']"}}]}
    document = pod({"name": "d", "downwardAPI": labels}, {"name": "v", "configMap": {"name": "map"}})
    made = volumes.make(document, Facts())
    later = {**document, "metadata": {"uid": "u", "name": "p", "namespace": "n", "labels": {"a": "x"}}}
    volumes.renew(later, Facts(), {Source("ConfigMap", "map")})
    assert read(made["d"].path) == {"l": ""}
    volumes.renew(later, Facts(), {POD})
    assert read(made["d"].path) == {"l": "x"}


def test_what_can_not_be_renewed_does_not_keep_the_rest_from_it(volumes: Volumes) -> None:
    good, bad = {"name": "b", "configMap": {"name": "map"}}, {"name": "a", "secret": {"secretName": "none"}}
    volumes.make(pod(good), Facts())
    with pytest.raises(Missing, match='for volume "a" : secret "none" not found'):
        volumes.renew(pod(bad, good), Facts(), None)


def token(iat: int, exp: int) -> bytes:
    claims = base64.urlsafe_b64encode(f'{{"iat":{iat},"exp":{exp}}}'.encode()).rstrip(b"=")
    return b"head." + claims + b".sign"


@pytest.mark.parametrize(
    ("held", "left"),
    [(token(0, 3600), 2880.0 - 100), (token(0, 100), 0.0), (token(0, 10**7), 86300.0), (b"", 0.0), (b"a.!.c", 0.0)],
)
def test_a_token_is_renewed_after_four_fifths_of_its_life_or_a_day(held: bytes, left: float) -> None:
    assert tokens.left_s(held, 100.0) == left


def test_a_token_is_kept_until_its_time(tmp_path: Path) -> None:
    issued: list[bytes] = []

    def issue(source: Object) -> str:
        now = int(time.time())
        issued.append(token(now, now + (3600 if issued else 0)))
        return issued[-1].decode()

    volumes = Volumes(tmp_path, tmp_path, lambda kind, name: None, issue, lambda pod, name: None)
    document = pod({"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}})
    made = volumes.make(document, Facts())["t"].path / "token"
    assert volumes.due_s(document, time.time()) == 0
    volumes.renew(document, Facts(), {TOKEN})
    volumes.renew(document, Facts(), None)
    assert len(issued) == 2
    assert made.read_bytes() == issued[1]
    assert 2800 < volumes.due_s(document, time.time()) < 2881


@pytest.mark.root
def test_a_group_may_read_a_projection_and_who_reads_a_token_owns_it(volumes: Volumes) -> None:
    document = pod(
        {"name": "v", "configMap": {"name": "map", "defaultMode": 0o400}},
        {"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
    )
    mapping(document["spec"]).update(securityContext={"fsGroup": 7, "runAsUser": 5}, containers=[{"name": "a"}])
    made = volumes.make(document, Facts())
    found = [(made[name].path / file).stat() for name, file in (("v", "one"), ("t", "token"))]
    assert [(each.st_uid, each.st_gid, each.st_mode & 0o777) for each in found] == [(0, 7, 0o440), (5, 7, 0o640)]


@pytest.mark.root
def test_a_volume_is_given_to_its_group_and_no_link_in_it_is_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/file").touch(mode=0o600)
    (tmp_path / "out").touch(mode=0o600)
    (tmp_path / "in/link").symlink_to(tmp_path / "out")
    document: Object = {"spec": {"securityContext": {"fsGroup": 7}}}
    ownership.give(tmp_path / "in", document)
    assert (tmp_path / "in").stat().st_mode & 0o7777 == 0o2775
    assert ((tmp_path / "in/file").stat().st_gid, (tmp_path / "in/file").stat().st_mode & 0o777) == (7, 0o660)
    assert ((tmp_path / "out").stat().st_gid, (tmp_path / "out").stat().st_mode & 0o777) == (0, 0o600)
    mapping(document["spec"])["securityContext"] = {"fsGroup": 7, "fsGroupChangePolicy": "OnRootMismatch"}
    (tmp_path / "in/file").chmod(0o600)
    ownership.give(tmp_path / "in", document)
    assert (tmp_path / "in/file").stat().st_mode & 0o777 == 0o600


def test_only_what_was_made_for_a_claim_is_removed(tmp_path: Path) -> None:
    claim: Object = {"metadata": {"name": "c", "namespace": "n", "uid": "u"}, "spec": {}}
    class_: Object = {"metadata": {"name": "standard"}, "parameters": {"path": str(tmp_path)}}
    volume = made(claim, class_, "")
    directory = Path(str(at(volume, "spec", "hostPath", "path")))
    (directory / "deep").mkdir(parents=True)
    assert not claims.is_doomed(volume)
    mapping(volume["metadata"])["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert claims.is_doomed(volume)
    stranger = {**volume, "spec": {**mapping(volume["spec"]), "hostPath": {"path": str(tmp_path)}}}
    assert claims.remove(stranger).merge == {"metadata": {"finalizers": ["kubernetes.io/pv-protection"]}}
    assert directory.exists()
    claims.remove({**volume, "spec": {**mapping(volume["spec"]), "persistentVolumeReclaimPolicy": "Retain"}})
    assert directory.exists()
    assert claims.remove(volume) == claims.remove(volume)
    assert list(tmp_path.iterdir()) == []
