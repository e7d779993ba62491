"""One copy of bytes: which blobs can be dropped, that they come back, and that nothing lets them be lost."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zstandard
from tests.conftest import Cli, serving
from tests.integration.image.corpus import add_fine_times, add_xattrs, make_rich

from jubako.engine import Engine
from jubako.errors import DataLoss, FailedPrecondition, NotFound
from jubako.image import archive
from jubako.image.catalog import Image, Images
from jubako.image.compose import write_image
from jubako.image.layer import pack_blob
from jubako.snapshot.compact import Compacted, compact
from jubako.snapshot.unpack import ensure
from jubako.spec.oci_image import LAYER_GZIP, LAYER_TAR, LAYER_ZSTD, Descriptor, DiffID, ImageConfig, RootFS
from jubako.store import Store, digest

pytestmark = pytest.mark.root


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "root", tmp_path / "run") as engine:
        yield engine


def tar(*members: tuple[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as opened:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return out.getvalue()


NOISE = [(f"dir/file{number}", os.urandom(20_000 + number)) for number in range(8)]


def image_of(engine: Engine, blob: bytes, plain: bytes, media_type: str = LAYER_TAR, name: str = "i:1") -> Image:
    """An image of one layer, unpacked."""
    store = engine.drivers.store
    stored = store.blobs.put(blob)
    described = Descriptor(media_type=media_type, digest=stored.digest, size=stored.size)
    return recorded(engine, described, DiffID(digest.of(plain)), name)


def recorded(engine: Engine, described: Descriptor, diff_id: DiffID, name: str = "i:1") -> Image:
    store, images = engine.drivers.store, engine.drivers.images
    config = ImageConfig(architecture="amd64", os="linux", rootfs=RootFS(diff_ids=[diff_id]))
    images.put(name, write_image(store, config, [described]))
    image = images.resolve(name)
    with store.leases.hold() as lease:
        ensure(store, engine.drivers.snapshots, image, lease=lease)
    return image


def compacted(engine: Engine, image: Image, **options: bool) -> Compacted:
    (done,) = [
        compact(engine.drivers.store, engine.drivers.snapshots, layer.digest, diff_id, dry_run=False, **options)
        for layer, diff_id in zip(image.manifest.layers, image.diff_ids, strict=True)
    ]
    return done


def is_file(engine: Engine, name: str) -> bool:
    return engine.drivers.store.blobs.path(name).exists()


def zlib_gzip(level: int, memory: int, header: bytes) -> Callable[[bytes], bytes]:
    def made(data: bytes) -> bytes:
        deflate = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
        end = zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
        return header + deflate.compress(data) + deflate.flush() + end

    return made


def by_zstd(level: int) -> Callable[[bytes], bytes]:
    def made(data: bytes) -> bytes:
        compressor = zstandard.ZstdCompressor(level=level).compressobj()
        return compressor.compress(data) + compressor.flush()

    return made


NAMED = b"\x1f\x8b\x08\x0c\x01\x02\x03\x04\x00\x03\x03\x00abclayer.tar\x00"
COMPRESSED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "plain": (bytes, LAYER_TAR),
    "gzip-6": (lambda data: gzip.compress(data, 6, mtime=0), LAYER_GZIP),
    "gzip-1-with-a-time": (lambda data: gzip.compress(data, 1, mtime=12345), LAYER_GZIP),
    "gzip-9-with-name-and-extra": (zlib_gzip(9, 9, NAMED), LAYER_GZIP),
    "zstd-3": (by_zstd(3), LAYER_ZSTD),
    "zstd-12": (by_zstd(12), LAYER_ZSTD),
}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_a_blob_made_by_what_we_can_run_again_is_dropped_and_comes_back(engine: Engine, kind: str) -> None:
    compress, media_type = COMPRESSED[kind]
    plain = tar(*NOISE)
    blob = compress(plain)
    image = image_of(engine, blob, plain, media_type)
    name, blobs = image.manifest.layers[0].digest, engine.drivers.store.blobs
    done = compacted(engine, image)
    assert (done.kept, is_file(engine, name)) == ("", False)
    assert done.freed_bytes > len(blob) * 0.9
    assert blobs.exists(name)
    assert blobs.stat(name).size == len(blob)
    assert name in list(blobs)
    assert blobs.read(name) == blob
    with blobs.open(name, offset=70_001) as stream:
        assert stream.read() == blob[70_001:]


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
@pytest.mark.parametrize("epoch", [None, 1_000_000_000])
def test_every_layer_of_ours_is_dropped_and_comes_back(
    engine: Engine, compression: str, epoch: int | None, tmp_path: Path
) -> None:
    tree = add_xattrs(add_fine_times(make_rich(tmp_path / "tree")))
    for number in range(300):
        (tree / f"small{number}").write_bytes(os.urandom(number * 37))
    fd = os.open(tree, os.O_RDONLY)
    described, diff_id = pack_blob(
        fd, engine.drivers.store.blobs, compression=compression, source_date_epoch=epoch, whiteouts="none"
    )  # type: ignore[arg-type]
    os.close(fd)
    data = engine.drivers.store.blobs.read(described.digest, limit=1 << 30)
    done = compacted(engine, recorded(engine, described, diff_id))
    assert (done.kept, is_file(engine, described.digest)) == ("", False)
    assert engine.drivers.store.blobs.read(described.digest, limit=1 << 30) == data


def flushed(plain: bytes) -> bytes:
    """Gzip as of no zlib that runs through: half-way it was told to flush."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    half = len(plain) // 2
    first = deflate.compress(plain[:half]) + deflate.flush(zlib.Z_SYNC_FLUSH)
    return first + deflate.compress(plain[half:]) + deflate.flush()


FOREIGN: dict[str, Callable[[bytes], bytes]] = {
    "another compressor": flushed,
    "several members": lambda plain: gzip.compress(plain[:9000], mtime=0) + gzip.compress(plain[9000:], mtime=0),
    "something behind it": lambda plain: gzip.compress(plain, mtime=0) + bytes(100),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_blob_that_can_not_be_made_again_stays(engine: Engine, kind: str) -> None:
    plain = tar(*NOISE)
    image = image_of(engine, FOREIGN[kind](plain), plain, LAYER_GZIP)
    done = compacted(engine, image)
    name = image.manifest.layers[0].digest
    assert (done.kept, done.freed_bytes, is_file(engine, name)) == ("made by another compressor", 0, True)
    assert list(engine.drivers.store.blobs.recipes) == []


def test_a_blob_whose_recipe_would_be_as_large_stays(engine: Engine) -> None:
    plain = tar(*[(f"empty{number}", b"") for number in range(20)])
    image = image_of(engine, gzip.compress(plain, mtime=0), plain, LAYER_GZIP)
    assert compacted(engine, image).kept == "its recipe would take as much"
    assert is_file(engine, image.manifest.layers[0].digest)


FORMATS = {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT, "ustar": tarfile.USTAR_FORMAT}


@pytest.mark.parametrize("format", FORMATS)
def test_archives_of_others_come_back_with_all_their_oddities(engine: Engine, format: str) -> None:
    twice, linked = os.urandom(5000), tarfile.TarInfo("through/link")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=FORMATS[format]) as opened:
        directory, link = tarfile.TarInfo("real"), tarfile.TarInfo("through")
        directory.type, link.type, link.linkname = tarfile.DIRTYPE, tarfile.SYMTYPE, "/real"
        for member in (directory, link):
            opened.addfile(member)
        for name, data in [("./a", b"replaced" * 100), ("a", twice), ("gone/.wh.x", b""), ("b", b"x" * 513)]:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uname = len(data), 1234.75 if format == "pax" else 99, "somebody"
            opened.addfile(member, io.BytesIO(data))
        linked.size = len(twice)
        opened.addfile(linked, io.BytesIO(twice))
        for name, data in NOISE:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    plain = out.getvalue() + b"\0" * 10240 + b"junk behind the end"
    image = image_of(engine, plain, plain)
    name = image.manifest.layers[0].digest
    assert compacted(engine, image).kept == ""
    assert not is_file(engine, name)
    assert engine.drivers.store.blobs.read(name) == plain


def test_sparse_files_come_back(engine: Engine, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    with (tree / "sparse").open("wb") as stream:
        for number in range(30):
            stream.seek(number << 17)
            stream.write(os.urandom(999))
    (tree / "noise").write_bytes(os.urandom(200_000))
    for options in (["--format=gnu"], ["--format=posix", "--sparse-version=1.0"]):
        plain = subprocess.run(["tar", "-C", tree, "-S", *options, "-cf", "-", "."], capture_output=True).stdout
        image = image_of(engine, plain, plain, name=f"i:{options[0][9:]}")
        assert compacted(engine, image).kept == ""
        assert engine.drivers.store.blobs.read(image.manifest.layers[0].digest) == plain


@pytest.fixture
def image(engine: Engine) -> Image:
    """One whose blob is a recipe."""
    image = image_of(engine, gzip.compress(tar(*NOISE), mtime=0), tar(*NOISE), LAYER_GZIP)
    assert compacted(engine, image).freed_bytes
    return image


def layer_path(engine: Engine, image: Image) -> Path:
    return engine.drivers.snapshots.layer_path(image.diff_ids[0])


def change(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def test_a_changed_layer_gives_an_error_and_never_another_blob(engine: Engine, image: Image) -> None:
    change(layer_path(engine, image) / NOISE[3][0])
    name = image.manifest.layers[0].digest
    out = io.BytesIO()
    with engine.drivers.store.blobs.open(name) as stream, pytest.raises(DataLoss, match="unpacked layer has changed"):
        shutil.copyfileobj(stream, out, 1000)
    assert len(out.getvalue()) < len(gzip.compress(tar(*NOISE), mtime=0))
    (finding, *_) = engine.system.check().findings
    assert (finding.kind, finding.name, finding.images) == ("blob", name, ["i:1"])
    assert finding.problem == "it can not be made again from its unpacked layer"


def test_a_file_that_is_gone_or_is_no_file_gives_an_error(engine: Engine, image: Image) -> None:
    name, path = image.manifest.layers[0].digest, layer_path(engine, image) / NOISE[0][0]
    path.unlink()
    with pytest.raises(DataLoss, match="is gone"):
        engine.drivers.store.blobs.read(name)
    path.symlink_to("/etc/passwd")
    with pytest.raises(DataLoss):
        engine.drivers.store.blobs.read(name)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataLoss, match="is gone"):
        engine.drivers.store.blobs.read(name)


def test_without_its_layer_the_blob_counts_as_missing_so_that_a_load_brings_it(engine: Engine, image: Image) -> None:
    blobs, name = engine.drivers.store.blobs, image.manifest.layers[0].digest
    shutil.rmtree(layer_path(engine, image))
    assert not blobs.exists(name)
    with pytest.raises(NotFound):
        blobs.stat(name)
    with pytest.raises(NotFound):
        blobs.open(name)
    assert [(f.name, f.problem) for f in engine.system.check(quick=True).findings] == [(name, "it is missing")]
    blobs.put(gzip.compress(tar(*NOISE), mtime=0))
    with engine.drivers.store.leases.hold() as lease:
        ensure(engine.drivers.store, engine.drivers.snapshots, image, lease=lease)
    assert engine.system.check().is_sound


def test_collection_keeps_the_layer_of_a_dropped_blob_and_takes_both_in_the_end(engine: Engine, image: Image) -> None:
    blobs, snapshots = engine.drivers.store.blobs, engine.drivers.snapshots
    snapshots.sweep(list)
    assert snapshots.layers() == image.diff_ids
    engine.system.collect()
    assert blobs.read(image.manifest.layers[0].digest) == gzip.compress(tar(*NOISE), mtime=0)
    engine.images.remove("i:1")
    engine.system.collect()
    assert (list(blobs), list(blobs.recipes), snapshots.layers()) == ([], [], [])


def test_a_layer_that_lost_its_modes_is_repaired_without_losing_the_blob(engine: Engine, image: Image) -> None:
    (layer_path(engine, image) / NOISE[0][0]).chmod(0o600)
    report = engine.system.check(repair=True)
    assert [(f.kind, f.repaired) for f in report.findings] == [("layer", True)]
    assert engine.system.check().findings == []


def test_undo_makes_files_again_and_compacting_twice_is_content(engine: Engine, image: Image) -> None:
    blobs, name = engine.drivers.store.blobs, image.manifest.layers[0].digest
    assert engine.system.compact() == 0
    assert engine.system.compact_undo() == blobs.stat(name).size
    assert (is_file(engine, name), engine.system.compact_undo()) == (True, 0)
    assert engine.system.compact(dry_run=True) > 0
    assert is_file(engine, name)
    assert engine.system.compact() > 0
    assert not is_file(engine, name)


def test_a_store_without_the_layers_driver_says_so(engine: Engine, image: Image, tmp_path: Path) -> None:
    with Store.open(tmp_path / "root") as store, pytest.raises(FailedPrecondition, match="from its unpacked layer"):
        store.blobs.open(image.manifest.layers[0].digest)


def test_a_damaged_recipe_is_an_error(engine: Engine, image: Image) -> None:
    blobs, name = engine.drivers.store.blobs, image.manifest.layers[0].digest
    path = blobs.recipes.path(name)
    line, _, body = path.read_bytes().partition(b"\n")
    for damaged in (b"{\n", line + b"\n" + body[:-20], line + b"\n" + body[:40] + b"x" + body[41:], line + b"\n"):
        path.write_bytes(damaged)
        with pytest.raises(DataLoss):
            blobs.read(name)
    path.write_bytes(json.dumps({**json.loads(line), "method": "brotli"}).encode() + b"\n" + body)
    with pytest.raises(DataLoss, match="brotli"):
        blobs.read(name)


def test_the_compressor_that_has_changed_is_named(engine: Engine, image: Image) -> None:
    blobs, name = engine.drivers.store.blobs, image.manifest.layers[0].digest
    path = blobs.recipes.path(name)
    line, _, body = path.read_bytes().partition(b"\n")
    told = json.loads(line)
    path.write_bytes(json.dumps({**told, "method": "zstd", "maker": "zstd 0.1"}).encode() + b"\n" + body)
    with pytest.raises(DataLoss, match=r"made by zstd 0\.1, and here is zstd"):
        blobs.read(name)


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[Cli, Cli]]:
    found = [Cli(tmp_path / f"root{n}", tmp_path / f"run{n}", env={"JUBAKO_KEEPER": "0"}) for n in range(2)]
    yield found[0], found[1]
    for cli in found:
        cli("system", "prune", "-a", "-f", "--volumes")


def test_push_save_and_builds_take_dropped_blobs(state: Cli, engines: tuple[Cli, Cli], tmp_path: Path) -> None:
    cli, other = engines
    archived = tmp_path / "busybox.tar"
    state("save", "-o", str(archived), "busybox")
    cli("load", "-i", str(archived))
    assert "would be reclaimed" in cli("system", "compact", "--dry-run")
    told = cli("system", "compact")
    assert " instead of " in told
    assert told.splitlines()[-1].startswith("Total reclaimed space: ")
    cli("save", "-o", str(tmp_path / "again.tar"), "busybox")
    assert (tmp_path / "again.tar").read_bytes() == archived.read_bytes()
    (tmp_path / "Dockerfile").write_text("FROM busybox\nRUN echo built > /file\n")
    cli("build", "-q", "-t", "built", "--output", f"type=oci,dest={tmp_path}/built.tar", str(tmp_path))
    with serving(state, tmp_path / "registry") as address:
        cli("tag", "busybox", f"{address}/busybox:1")
        cli("push", "-q", f"{address}/busybox:1")
        other("pull", "-q", f"{address}/busybox:1")
        assert other("run", "--rm", "--network", "none", f"{address}/busybox:1", "echo", "pulled") == "pulled\n"
    assert cli("run", "--rm", "--network", "none", "busybox", "echo", "ran") == "ran\n"
    assert cli("system", "check").endswith("0 damaged or missing\n")
    assert "is a file of" in cli("system", "compact", "--undo")


def test_a_layout_has_the_whole_blob(engine: Engine, image: Image, tmp_path: Path) -> None:
    from jubako.image import layout

    layout.export(engine.drivers.store, engine.drivers.images, ["i:1"], tmp_path / "layout")
    blob = tmp_path / "layout/blobs" / image.manifest.layers[0].digest.replace(":", "/")
    assert blob.read_bytes() == gzip.compress(tar(*NOISE), mtime=0)
    with Store.open(tmp_path / "second") as second:
        (loaded,) = archive.load(second, tmp_path / "layout", Images(second))
        assert loaded.manifest.layers == image.manifest.layers
