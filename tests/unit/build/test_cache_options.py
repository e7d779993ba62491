"""What --cache-from and --cache-to may say."""

from __future__ import annotations

import pytest

from jubako.build.exporters.compression import Packing
from jubako.build.remotecache.spec import CacheFrom, CacheTo, caches_from, caches_to
from jubako.errors import InvalidArgument

DIGEST = f"sha256:{'1' * 64}"


def test_a_bare_word_is_a_reference() -> None:
    image = CacheFrom(type="registry", place="docker.io/user/app:cache")
    assert caches_from(["user/app:cache"]) == [image]
    assert caches_from(["type=registry,ref=user/app:cache"]) == [image]
    assert caches_to(["user/app:cache"]) == [CacheTo(type="registry", place="docker.io/user/app:cache")]


def test_bare_words_with_commas_are_several() -> None:
    assert [each.place for each in caches_from(["a,b"])] == ["docker.io/library/a:latest", "docker.io/library/b:latest"]


def test_a_directory_has_tags_and_digests() -> None:
    found = caches_from(["type=local,src=dir", f"type=local,src=dir,digest={DIGEST}", "type=local,src=dir,tag=v1"])
    assert [(each.place, each.tag, each.digest) for each in found] == [
        ("dir", "latest", ""),
        ("dir", "latest", DIGEST),
        ("dir", "v1", ""),
    ]


def test_attributes_of_an_export() -> None:
    text = "type=local,dest=d,mode=max,tag=t,compression=zstd,compression-level=5,force-compression=true,ignore-error=1"
    assert caches_to([text]) == [
        CacheTo(
            type="local",
            place="d",
            tag="t",
            complete=True,
            ignore_error=True,
            packing=Packing("zstd", 5, force=True),
        )
    ]


def test_an_export_in_docker_types_is_an_index() -> None:
    (found,) = caches_to(["type=registry,ref=a,oci-mediatypes=false"])
    assert not found.oci_types
    assert not found.image_manifest


def test_a_github_cache_is_passed_over_away_from_github(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTIONS_RUNTIME_TOKEN", raising=False)
    assert caches_from(["type=gha"]) == []
    assert caches_to(["type=gha,mode=max"]) == []
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", "x")
    with pytest.raises(InvalidArgument, match="unknown cache importer: 'gha'"):
        caches_from(["type=gha"])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ref=a", 'type required form "ref=a"'),
        ("type=s3,bucket=b", "unknown cache exporter: 's3'"),
        ("type=registry", "needs ref=REFERENCE"),
        ("type=local", "needs dest=DIRECTORY"),
        ("type=registry,ref=a,mode=most", "unsupported cache export mode: most"),
        ("type=registry,ref=a,colour=red", 'unknown key "colour" of the registry cache exporter'),
        ("type=inline,mode=max", "mode min only"),
        ("type=registry,ref=a,image-manifest=true,oci-mediatypes=false", "needs oci-mediatypes=true"),
        ("type=registry,ref=a,ignore-error=perhaps", "non-bool value perhaps specified for ignore-error"),
        ("type=registry,ref=a,compression=rar", "unsupported layer compression type: rar"),
        ("type=registry,ref=a,compression-level=x", "non-integer value x for compression-level"),
        ("type=registry,ref=a,mode", "a cache is key=value pairs"),
        ("type=registry,ref=A B", "invalid reference"),
        ('type=registry,"ref=a', "invalid value"),
    ],
)
def test_what_is_wrong_with_an_export_is_named(text: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        caches_to([text])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("type=inline", "imported with type=registry,ref=IMAGE"),
        ("type=local", "needs src=DIRECTORY"),
        ("type=local,src=d,digest=sha256:1", "invalid digest"),
        ("type=local,src=d,mode=max", 'unknown key "mode" of the local cache importer'),
    ],
)
def test_what_is_wrong_with_an_import_is_named(text: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem):
        caches_from([text])
