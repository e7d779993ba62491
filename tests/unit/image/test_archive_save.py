from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import zstandard

from jubako.errors import AlreadyExists, InvalidArgument, NotFound
from jubako.image import archive, compose, layout, platform
from jubako.image.catalog import Images
from jubako.image.manifest import decode_config
from jubako.spec.oci_image import LAYER_ZSTD, Descriptor
from jubako.store import Store

from .conftest import Layout, config_for, digest, docker_archive, tar_of

LAYER = tar_of(("etc/", b""), ("etc/name", b"x"))
Format = Literal["docker-archive", "oci-archive"]
FORMATS: list[Format] = ["docker-archive", "oci-archive"]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Images]:
    """The catalog of a second, empty store."""
    with Store.open(tmp_path / "other") as store:
        yield Images(store)


def saved(store: Store, images: Images, *names: str, format: Format = "docker-archive") -> bytes:
    out = io.BytesIO()
    archive.save(store, images, names, out, format=format)
    return out.getvalue()


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        return {m.name: opened.extractfile(m).read() for m in opened if m.isreg()}  # type: ignore[union-attr]


@pytest.mark.parametrize("format", FORMATS)
def test_what_was_saved_loads_as_the_same_images(store: Store, images: Images, other: Images, format: Format) -> None:
    archive.load(store, io.BytesIO(docker_archive(LAYER, tags=["one:v1", "one:v2"], compress=True)), images)
    archive.load(store, io.BytesIO(docker_archive(LAYER, LAYER, tags=["two:v1"])), images)
    data = saved(store, images, "one", "two:v1", format=format)
    assert data == saved(store, images, "one", "two:v1", format=format)
    loaded = archive.load(other._store, io.BytesIO(data), other)
    for name in ("one:v1", "one:v2", "two:v1"):
        assert other.resolve(name).id == images.resolve(name).id
        assert other.resolve(name).diff_ids == images.resolve(name).diff_ids
    assert {image.id for image in loaded} == {image.id for image in images.list()}
    if format == "oci-archive":
        assert other.resolve("one:v1").manifest_digest == images.resolve("one:v1").manifest_digest


def test_a_docker_archive_has_what_docker_looks_for(store: Store, images: Images) -> None:
    archive.load(store, io.BytesIO(docker_archive(LAYER, tags=["one:v1", "quay.io/a/b:v2"])), images)
    files = members(saved(store, images, "one:v1", "quay.io/a/b:v2"))
    (item,) = json.loads(files["manifest.json"])
    assert item["RepoTags"] == ["one:v1", "quay.io/a/b:v2"]
    assert files[item["Config"]] == config_for(LAYER)
    assert [files[name] for name in item["Layers"]] == [LAYER]
    top = digest(LAYER).partition(":")[2]
    assert json.loads(files["repositories"]) == {"one": {"v1": top}, "quay.io/a/b": {"v2": top}}


def test_an_image_saved_by_id_has_no_tag(store: Store, images: Images) -> None:
    (image,) = archive.load(store, io.BytesIO(docker_archive(LAYER, tags=["one:v1"])), images)
    files = members(saved(store, images, image.id))
    assert json.loads(files["manifest.json"])[0]["RepoTags"] == []
    assert "repositories" not in files


def test_a_layer_that_several_images_share_is_saved_once(store: Store, images: Images) -> None:
    archive.load(store, io.BytesIO(docker_archive(LAYER, tags=["one"])), images)
    archive.load(store, io.BytesIO(docker_archive(LAYER, LAYER, tags=["two"])), images)
    with tarfile.open(fileobj=io.BytesIO(saved(store, images, "one", "two"))) as opened:
        names = opened.getnames()
    assert len(names) == len(set(names))


def test_zstd_layers_go_plain_into_a_docker_archive_since_older_dockers_can_not_read_them(
    store: Store, images: Images
) -> None:
    info = store.blobs.put(zstandard.compress(LAYER))
    config = decode_config(config_for(LAYER))
    layer = Descriptor(media_type=LAYER_ZSTD, digest=info.digest, size=info.size)
    images.put("one", compose.write_image(store, config, [layer]))
    files = members(saved(store, images, "one"))
    assert [files[name] for name in json.loads(files["manifest.json"])[0]["Layers"]] == [LAYER]


def test_an_index_is_saved_whole_if_it_is_here_and_as_its_manifest_otherwise(
    store: Store, images: Images, other: Images
) -> None:
    made = Layout()
    here, there = made.image(LAYER), made.image(LAYER, architecture="s390x")
    made.named(made.index(here, there), "multi:v1")
    archive.load(store, io.BytesIO(made.tar()), images)
    whole = saved(store, images, "multi:v1", format="oci-archive")
    assert f"blobs/{str(there['digest']).replace(':', '/')}" in members(whole)
    store.blobs.delete(str(there["digest"]))
    archive.load(other._store, io.BytesIO(saved(store, images, "multi:v1", format="oci-archive")), other)
    assert other.resolve("multi:v1").target.digest == here["digest"]


@pytest.mark.parametrize("form", FORMATS)
def test_one_platform_is_saved_alone(store: Store, images: Images, other: Images, form: Format) -> None:
    made = Layout()
    made.named(made.index(made.image(LAYER), made.image(LAYER, architecture="s390x")), "multi:v1")
    archive.load(store, io.BytesIO(made.tar()), images)
    out = io.BytesIO()
    archive.save(store, images, ["multi:v1"], out, format=form, platform=platform.parse("linux/s390x"))
    (image,) = archive.load(other._store, io.BytesIO(out.getvalue()), other, platform=platform.parse("linux/s390x"))
    assert (image.repo_tags, image.config.architecture) == (["multi:v1"], "s390x")
    with pytest.raises(NotFound, match=r"image with reference multi:v1 was found but .* \(linux/arm/v7\)"):
        archive.save(store, images, ["multi:v1"], io.BytesIO(), format=form, platform=platform.parse("linux/arm/v7"))


def test_a_layout_is_exported_and_never_over_another(
    store: Store, images: Images, other: Images, tmp_path: Path
) -> None:
    archive.load(store, io.BytesIO(docker_archive(LAYER, tags=["one:v1"], compress=True)), images)
    layout.export(store, images, ["one:v1"], tmp_path / "layout")
    archive.load(other._store, tmp_path / "layout", other)
    assert other.resolve("one:v1").target.digest == images.resolve("one:v1").target.digest
    assert gzip.decompress(other._store.blobs.read(other.resolve("one:v1").manifest.layers[0].digest)) == LAYER
    with pytest.raises(AlreadyExists):
        layout.export(store, images, ["one:v1"], tmp_path / "layout")


def test_nothing_is_written_for_an_image_that_is_not_there(store: Store, images: Images) -> None:
    out = io.BytesIO()
    with pytest.raises(NotFound):
        archive.save(store, images, ["absent"], out)
    with pytest.raises(InvalidArgument):
        archive.save(store, images, [], out, format="zip")  # type: ignore[arg-type]
    assert out.getvalue() == b""
