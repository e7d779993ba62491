from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import threading
from pathlib import Path
from typing import BinaryIO

import pytest
import zstandard

from jubako.errors import DataLoss, InvalidArgument, JubakoError, NotFound
from jubako.image import archive, platform
from jubako.image.catalog import Images
from jubako.spec.oci_image import LAYER_GZIP, LAYER_TAR, Descriptor, DiffID
from jubako.store import Store

from .conftest import Layout, config_for, digest, docker_archive, tar_of

LOWER = tar_of(("etc/", b""), ("etc/name", b"lower"))
UPPER = tar_of(("etc/name", b"upper"))


def left_behind(store: Store) -> list[str]:
    return [*os.listdir(store.root / "ingest"), *(name for name in os.listdir(store.root / "leases") if name[0] != ".")]


def path_of(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("compress", [False, True], ids=["plain layers", "gzip layers"])
def test_a_docker_archive_is_loaded(store: Store, images: Images, tmp_path: Path, compress: bool) -> None:
    data = docker_archive(LOWER, UPPER, LOWER, tags=["tool:v1", "quay.io/a/tool:v2"], compress=compress)
    (image,) = archive.load(store, path_of(tmp_path, data), images)
    assert image.id == digest(config_for(LOWER, UPPER, LOWER))
    assert sorted(image.names) == ["docker.io/library/tool:v1", "quay.io/a/tool:v2"]
    assert image.diff_ids == [digest(LOWER), digest(UPPER), digest(LOWER)]
    assert {layer.media_type for layer in image.manifest.layers} == {LAYER_GZIP if compress else LAYER_TAR}
    for layer, plain in zip(image.manifest.layers, (LOWER, UPPER, LOWER), strict=True):
        stored = store.blobs.read(layer.digest)
        assert (gzip.decompress(stored) if compress else stored) == plain
    assert set(store.blobs) == images.reachable()
    assert left_behind(store) == []


def test_an_image_without_tags_is_dangling(store: Store, images: Images) -> None:
    (image,) = archive.load(store, io.BytesIO(docker_archive(LOWER, tags=None)), images)
    assert image.names == []
    assert images.resolve(image.id).diff_ids == [digest(LOWER)]


def test_the_names_that_are_told_are_those_of_the_archive(store: Store, images: Images) -> None:
    for tags, told in ((["tool:v1"], ["docker.io/library/tool:v1"]), (["b", "b"], ["docker.io/library/b:latest"])):
        (image,) = archive.load(store, io.BytesIO(docker_archive(LOWER, tags=tags)), images)
        assert image.names == told
    (image,) = archive.load(store, io.BytesIO(docker_archive(LOWER, tags=None)), images)
    assert image.names == []
    assert sorted(images.resolve("b").names) == ["docker.io/library/b:latest", "docker.io/library/tool:v1"]


@pytest.mark.parametrize(
    "compress", [gzip.compress, zstandard.compress, lzma.compress, bz2.compress, bytes], ids=lambda c: c.__module__
)
def test_a_compressed_archive_is_loaded_from_a_path_and_from_a_pipe(
    store: Store, images: Images, tmp_path: Path, compress: type[bytes]
) -> None:
    data = compress(docker_archive(LOWER, tags=["tool"]))
    archive.load(store, path_of(tmp_path, data), images)
    assert images.remove("tool")
    read_end, write_end = os.pipe()
    with os.fdopen(write_end, "wb") as writer, os.fdopen(read_end, "rb") as reader:

        def feed() -> None:
            writer.write(data)
            writer.close()

        thread = threading.Thread(target=feed)
        thread.start()
        archive.load(store, reader, images)
        thread.join()
    assert images.resolve("tool").diff_ids == [digest(LOWER)]
    assert left_behind(store) == []


def test_an_open_file_is_read_from_where_it_stands(store: Store, images: Images, tmp_path: Path) -> None:
    path = path_of(tmp_path, b"#!x\n" + docker_archive(LOWER, tags=["tool"]))
    with path.open("rb") as stream:
        stream.readline()
        archive.load(store, stream, images)
    assert images.resolve("tool")


def test_each_layer_is_announced_when_it_is_in_the_store(store: Store, images: Images) -> None:
    heard: list[tuple[DiffID, Descriptor]] = []

    def on_layer(diff_id: DiffID, layer: Descriptor) -> None:
        assert store.blobs.exists(layer.digest)
        heard.append((diff_id, layer))

    archive.load(store, io.BytesIO(docker_archive(LOWER, UPPER, tags=["t"])), images, on_layer=on_layer)
    assert {diff_id for diff_id, _ in heard} == {digest(LOWER), digest(UPPER)}


def test_layers_of_other_platforms_are_not_announced(store: Store, images: Images) -> None:
    layout = Layout()
    layout.named(layout.index(layout.image(UPPER, architecture="s390x"), layout.image(LOWER)), "a:b")
    heard: list[DiffID] = []
    archive.load(store, io.BytesIO(layout.tar()), images, on_layer=lambda diff_id, _: heard.append(diff_id))
    assert heard == [digest(LOWER)]


def test_nothing_is_recorded_when_the_caller_is_not_ready(store: Store, images: Images) -> None:
    def ready() -> None:
        raise DataLoss("a layer did not unpack")

    with pytest.raises(DataLoss, match="did not unpack"):
        archive.load(store, io.BytesIO(docker_archive(LOWER, tags=["t"])), images, ready=ready)
    assert images.list() == []


@pytest.mark.parametrize("form", ["tar", "directory", "gzip"])
def test_an_oci_layout_is_loaded(store: Store, images: Images, tmp_path: Path, form: str) -> None:
    layout = Layout()
    layout.named(layout.image(LOWER, UPPER), "docker.io/library/tool:v1")
    layout.named(layout.image(LOWER), "latest")
    source: BinaryIO | Path = io.BytesIO(layout.tar())
    if form == "gzip":
        source = io.BytesIO(gzip.compress(layout.tar()))
    if form == "directory":
        source = tmp_path / "layout"
        layout.write(source)
    named, dangling = archive.load(store, source, images)
    assert named.names == ["docker.io/library/tool:v1"]
    assert named.manifest_digest == layout.entries[0]["digest"]
    assert dangling.names == []
    assert set(store.blobs) == images.reachable() == set(layout.blobs)


def test_an_index_is_kept_whole_with_what_the_layout_has_of_it(store: Store, images: Images) -> None:
    layout = Layout()
    here, there, absent = layout.image(LOWER), layout.image(UPPER, architecture="s390x"), layout.image(b"")
    layout.named(layout.index(here, there, {**absent, "platform": {"os": "linux", "architecture": "riscv64"}}), "a:b")
    del layout.blobs[str(absent["digest"])]
    (image,) = archive.load(store, io.BytesIO(layout.tar()), images)
    assert image.target.digest == layout.entries[0]["digest"]
    assert image.manifest_digest == here["digest"]
    assert there["digest"] in images.reachable()


def test_an_index_without_the_image_for_this_machine_is_refused(store: Store, images: Images) -> None:
    layout = Layout()
    here = layout.image(LOWER)
    layout.named(layout.index(here, layout.image(UPPER, architecture="s390x")), "a:b")
    del layout.blobs[str(here["digest"])]
    with pytest.raises(DataLoss, match="has not the image for"):
        archive.load(store, io.BytesIO(layout.tar()), images)


def test_one_platform_of_an_index_is_loaded_alone(store: Store, images: Images) -> None:
    layout = Layout()
    here, there = layout.image(LOWER), layout.image(UPPER, architecture="s390x")
    layout.named(layout.index(here, there), "a:b")
    (image,) = archive.load(store, io.BytesIO(layout.tar()), images, platform=platform.parse("linux/s390x"))
    assert image.target.digest == image.manifest_digest == there["digest"]
    assert images.resolve("a:b").config.architecture == "s390x"
    assert not store.blobs.exists(str(here["digest"]))
    with pytest.raises(NotFound, match="linux/riscv64"):
        archive.load(store, io.BytesIO(layout.tar()), images, platform=platform.parse("linux/riscv64"))


@pytest.mark.parametrize("form", ["docker", "oci"])
def test_an_image_for_another_platform_than_the_asked_is_not_loaded(store: Store, images: Images, form: str) -> None:
    layout = Layout()
    layout.named(layout.image(LOWER), "a:b")
    data = layout.tar() if form == "oci" else docker_archive(LOWER, tags=["a:b"])
    with pytest.raises(NotFound, match=r"does not provide the specified platform \(linux/s390x\)"):
        archive.load(store, io.BytesIO(data), images, platform=platform.parse("linux/s390x"))
    assert images.list() == []


def test_docker_25_writes_both_forms_and_the_manifest_keeps_its_digest(store: Store, images: Images) -> None:
    layout = Layout()
    entry = layout.image(LOWER)
    layout.entries.append({**entry, "annotations": {"io.containerd.image.name": "docker.io/library/t:1"}})
    files = layout.files()
    config = digest(config_for(LOWER)).replace(":", "/")
    manifest = [{"Config": f"blobs/{config}", "RepoTags": ["t:1"], "Layers": ["blobs/sha256/x"]}]
    files["manifest.json"] = json.dumps(manifest).encode()
    (image,) = archive.load(store, io.BytesIO(tar_of(*files.items())), images)
    assert (image.names, image.manifest_digest) == (["docker.io/library/t:1"], entry["digest"])


def corrupt(data: bytes, what: bytes) -> bytes:
    return data.replace(what, b"Z" * len(what))


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (b"", InvalidArgument, "not an image archive"),
        (b"hello", InvalidArgument, "does not begin as a tar"),
        (b"h" * 4096, InvalidArgument, "does not begin as a tar"),
        (tar_of(("etc/passwd", b"x")), InvalidArgument, "not an image archive"),
        (tar_of(("repositories", b"{}")), InvalidArgument, "before 1.10"),
        (docker_archive(LOWER, tags=["t"])[:3000], DataLoss, "truncated"),
        (gzip.compress(docker_archive(LOWER, tags=["t"]))[:-20], DataLoss, "truncated"),
        (corrupt(docker_archive(LOWER, tags=["t"]), b"lower"), DataLoss, "does not match its digest"),
        (tar_of(("manifest.json", b"{}")), InvalidArgument, "malformed"),
        (tar_of(("manifest.json", b'[{"Config":"\x80"}]')), InvalidArgument, "malformed"),
        (tar_of(("manifest.json", b'[{"Config":"c","Layers":[]}]')), DataLoss, "has no 'c'"),
        (tar_of(("manifest.json", b'[{"Config":"../../etc/passwd","Layers":[]}]')), DataLoss, "has no"),
        (
            tar_of(("manifest.json", b'[{"Config":"c","Layers":[]}]'), ("c", config_for(LOWER))),
            InvalidArgument,
            "lists 0 layers",
        ),
        (docker_archive(LOWER, tags=["Not/Valid"]), InvalidArgument, "must be lowercase"),
    ],
)
def test_a_bad_archive_is_one_clear_error_and_leaves_nothing(
    store: Store, images: Images, tmp_path: Path, data: bytes, kind: type[JubakoError], message: str
) -> None:
    for source in (io.BytesIO(data), path_of(tmp_path, data)):
        with pytest.raises(kind, match=message):
            archive.load(store, source, images)
    assert images.list() == []
    assert left_behind(store) == []


def test_a_corrupt_layout_is_refused(store: Store, images: Images) -> None:
    for name in range(3):
        layout = Layout()
        layout.named(layout.image(LOWER), "a:b")
        key = list(layout.blobs)[name]
        layout.blobs[key] = layout.blobs[key][:-1] + b" "
        with pytest.raises(JubakoError):
            archive.load(store, io.BytesIO(layout.tar()), images)
    assert images.list() == []


def test_a_missing_file_is_not_found_as_docker_says_it(store: Store, images: Images, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such file or directory"):
        archive.load(store, tmp_path / "absent", images)


def test_a_link_that_leads_in_circles_is_not_followed_for_ever(store: Store, images: Images) -> None:
    members = []
    for name, target in (("manifest.json", "a"), ("a", "b"), ("b", "a")):
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, target
        members.append(link)
    with pytest.raises(InvalidArgument):
        archive.load(store, io.BytesIO(tar_of(*members)), images)


def test_links_in_a_layout_directory_do_not_lead_out(store: Store, images: Images, tmp_path: Path) -> None:
    layout = Layout()
    layout.named(layout.image(LOWER), "a:b")
    directory = tmp_path / "inside"
    layout.write(directory)
    index = directory / "index.json"
    index.rename(tmp_path / "index.json")
    index.symlink_to("../index.json")
    with pytest.raises(JubakoError):
        archive.load(store, directory, images)
