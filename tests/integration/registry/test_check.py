"""`system check`: what is damaged is found, named by image, and made good where that can be done."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.conftest import Cli

from jubako.engine import CreateOptions, Engine
from jubako.image.catalog import Images
from jubako.spec.oci_image import (
    CONFIG,
    LAYER_GZIP,
    MANIFEST,
    Descriptor,
    DiffID,
    Digest,
    ImageConfig,
    Manifest,
    RootFS,
)
from jubako.store import Store, sweep

from .images import layer, make_image, make_index, make_manifest
from .peer import Http

pytestmark = pytest.mark.root
NAME = "docker.io/library/app:v1"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "root", tmp_path / "run") as engine:
        yield engine


@pytest.fixture
def image(engine: Engine):
    make_image(engine.drivers.store, NAME, b"one" * 500, b"two" * 500)
    return engine.images.ensure(NAME, pull="never")


def corrupt(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def found(engine: Engine, **options: bool) -> list[tuple[str, str, bool]]:
    report = engine.system.check(**options)
    assert report.is_sound == all(finding.repaired for finding in report.findings)
    return [(finding.kind, finding.name, finding.repaired) for finding in report.findings]


def test_a_sound_store_has_nothing_to_say(engine, image):
    report = engine.system.check()
    assert (report.blobs, report.layers, report.findings, report.is_sound) == (4, 2, [], True)


def test_a_damaged_blob_is_found_and_its_images_named(engine, image):
    digest = image.manifest.layers[1].digest
    corrupt(engine.drivers.store.blobs.path(digest))
    (finding, *rest) = engine.system.check().findings
    assert (finding.kind, finding.name, finding.images) == ("blob", digest, ["app:v1"])
    assert [other.kind for other in rest] == ["layer"], "its layer can not be compared any more"
    assert found(engine, quick=True) == []


def test_what_can_not_be_had_again_is_removed_so_that_a_load_fills_the_hole(engine, image):
    store = engine.drivers.store
    digest = image.manifest.layers[0].digest
    good = store.blobs.read(digest)
    corrupt(store.blobs.path(digest))
    assert ("blob", digest, False) in found(engine, repair=True)
    assert not store.blobs.exists(digest)
    assert found(engine, quick=True) == [("blob", digest, False)], "missing"
    store.blobs.put(good)
    assert found(engine) == []


@pytest.mark.parametrize("part", ["layer", "config", "manifest"])
def test_a_damaged_blob_is_fetched_again_from_the_registry_of_a_name(engine, registry: Http, part: str):
    from jubako.registry import client

    name = f"{registry.domain}/team/app:v1"
    image = make_image(engine.drivers.store, name, os.urandom(3000))
    client.push(engine.drivers.store, image, registry.reference("team/app:v1"))
    digest = {
        "layer": image.manifest.layers[0].digest,
        "config": image.manifest.config.digest,
        "manifest": image.manifest_digest,
    }[part]
    corrupt(engine.drivers.store.blobs.path(digest))
    assert found(engine, repair=True) == [("blob", digest, True)]
    assert found(engine) == []


@pytest.mark.parametrize("damage", ["content", "mode", "owner", "time", "extra", "gone", "xattr"])
def test_a_damaged_layer_is_found_and_unpacked_again(engine, image, damage: str):
    path = engine.drivers.snapshots.layer_path(image.diff_ids[0])
    file = path / "file"
    match damage:
        case "content":
            corrupt(file)
        case "mode":
            file.chmod(0o4755)
        case "owner":
            os.chown(file, 1, 1)
        case "time":
            os.utime(file, (-5, -5))  # not later: that is what a build may have cut
        case "extra":
            (path / "planted").touch()
        case "gone":
            file.unlink()
        case _:
            os.setxattr(path, "trusted.overlay.opaque", b"y")
            os.setxattr(file, "user.x", b"y")
    assert found(engine) == [("layer", image.diff_ids[0], False)]
    assert found(engine, repair=True) == [("layer", image.diff_ids[0], True)]
    assert found(engine) == []
    assert file.read_bytes() == b"one" * 500
    assert os.listdir(engine.drivers.store.root / "ingest") == []


def test_a_layer_that_was_built_here_is_sound_though_its_times_had_fractions(state: Cli, tmp_path: Path):
    (tmp_path / "Dockerfile").write_text("FROM busybox\nRUN echo x > /x; mkdir /d; rm -rf /home; mkfifo /f\n")
    state("build", "-q", "-t", "checked", str(tmp_path))
    assert "0 damaged or missing" in state("system", "check")


def test_the_command_tells_and_exits_with_1_until_it_is_repaired(engine, image, tmp_path: Path):
    corrupt(engine.drivers.snapshots.layer_path(image.diff_ids[0]) / "file")
    engine.close()
    cli = Cli(tmp_path / "root", tmp_path / "run", {"JUBAKO_KEEPER": "0"})
    done = cli.run("system", "check")
    assert done.returncode == 1
    assert b"image app:v1 is affected" in done.stdout
    assert "(unpacked again)" in cli("system", "check", "--repair")
    assert "Checked 4 blobs and 2 layers: 0 damaged or missing" in cli("system", "check")


def test_a_layer_that_a_container_needs_is_missed_and_unpacked_again(engine, image):
    """As a kill between taking the damaged one away and putting the fresh one there would leave it."""
    engine.containers.create(CreateOptions(image=NAME, command=["/file"]))
    engine.drivers.snapshots.discard_layer(image.diff_ids[1])
    (finding,) = engine.system.check().findings
    assert (finding.name, finding.problem, finding.images) == (image.diff_ids[1], "it is missing", ["app:v1"])
    assert found(engine, repair=True) == [("layer", image.diff_ids[1], True)]
    assert found(engine) == []


def test_a_layer_is_not_taken_from_under_a_running_container(tmp_path: Path):
    cli = Cli(tmp_path / "root", tmp_path / "run", {"JUBAKO_KEEPER": "0"})
    cli("image", "bootstrap", "busybox")
    layer = cli("image", "inspect", "--format", "{{index .RootFS.Layers 0}}", "busybox").strip()
    (tmp_path / "root/layers" / layer.replace(":", "/") / "planted").touch()
    container = cli("run", "-d", "--network", "none", "busybox", "sleep", "100").strip()
    try:
        done = cli.run("system", "check", "--repair")
        assert done.returncode == 1
        assert b"a container runs on it" in done.stdout
        assert "planted" in cli("exec", container, "ls", "/")
    finally:
        cli("rm", "-f", container)
    assert "(unpacked again)" in cli("system", "check", "--repair")


def test_a_blob_comes_again_from_a_mirror_of_its_registry(engine, registry: Http, configuration: Path):
    from jubako.registry import client

    image = make_image(engine.drivers.store, "registry.invalid/team/app:v1", os.urandom(3000))
    client.push(engine.drivers.store, image, registry.reference("team/app:v1"))
    configuration.parent.mkdir(exist_ok=True)
    configuration.with_name("registries.conf").write_text(
        f'[[registry]]\nlocation = "registry.invalid"\n[[registry.mirror]]\nlocation = "{registry.domain}"\n'
    )
    for digest in (image.manifest.layers[0].digest, image.manifest_digest):
        corrupt(engine.drivers.store.blobs.path(digest))
        assert found(engine, repair=True) == [("blob", digest, True)]


def test_two_checks_and_a_removal_at_once(engine, image, tmp_path: Path):
    code = (
        "import sys; from jubako import Engine\nwith Engine(sys.argv[1], sys.argv[2]) as e: e.system.check(repair=True)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "root"), str(tmp_path / "run")]
    running = [subprocess.Popen(command) for _ in range(2)]
    engine.images.remove(NAME)
    assert [process.wait(60) for process in running] == [0, 0]


def test_collection_keeps_what_a_kept_manifest_is_about(store: Store):
    images = Images(store)
    subject = make_manifest(store, b"subject")
    index = make_index(store, amd64=b"a", arm64=b"b")
    config = store.blobs.put(msgspec.json.encode(ImageConfig(architecture="amd64", os="linux", rootfs=RootFS())))
    described = Descriptor(media_type=CONFIG, digest=config.digest, size=config.size)
    about = store.blobs.put(msgspec.json.encode(Manifest(config=described, layers=[], subject=subject)))
    images.put("about:v1", Descriptor(media_type=MANIFEST, digest=about.digest, size=about.size))
    images.put("index:v1", index)
    loose = make_manifest(store, b"loose")
    before = set(store.blobs)
    sweep(store, images.reachable)
    assert len(before - set(store.blobs)) == 3
    assert not store.blobs.exists(loose.digest)
    assert store.blobs.exists(subject.digest)


def test_an_image_of_sha512_is_unpacked_named_and_checked(engine):
    store = engine.drivers.store

    def put(media_type: str, data: bytes) -> Descriptor:
        digest = Digest("sha512:" + hashlib.sha512(data).hexdigest())
        with store.blobs.writer(expected=digest) as writer:
            writer.write(data)
            writer.commit()
        return Descriptor(media_type=media_type, digest=digest, size=len(data))

    import gzip

    data, _ = layer(b"content")
    diff_id = DiffID("sha512:" + hashlib.sha512(gzip.decompress(data)).hexdigest())
    config = ImageConfig(architecture="amd64", os="linux", rootfs=RootFS(diff_ids=[diff_id]))
    described = put(CONFIG, msgspec.json.encode(config))
    manifest = Manifest(media_type=MANIFEST, config=described, layers=[put(LAYER_GZIP, data)])
    engine.drivers.images.put("app:512", put(MANIFEST, msgspec.json.encode(manifest)))
    image = engine.images.ensure("app:512", pull="never")
    assert engine.images.get(image.id).id == described.digest
    assert (engine.drivers.snapshots.layer_path(diff_id) / "file").read_bytes() == b"content"
    assert found(engine) == []
    engine.images.remove(image.id)
    assert list(store.blobs) == []
