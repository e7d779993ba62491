"""Power lost at any moment: what was promised is there, whole, and nothing is there that is not what its name says."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.crash.powerloss import VARIANTS, Disk, Op, record

from jubako.cluster.store import Create, DurableStore, Options
from jubako.engine.drivers import Drivers
from jubako.image.catalog import Images
from jubako.registry.server.state import State
from jubako.store import Store, digest, sweep

pytestmark = pytest.mark.root
Check = Callable[[Path, list[str]], None]

BEGIN = """
import io, os, sys
from pathlib import Path
root = Path(sys.argv[1])
def say(*words):
    os.write(1, (" ".join(words) + "\\n").encode())
"""
BLOBS_AND_RECORDS = """
from jubako.spec.oci_image import Digest
from jubako.store import Store, digest
for number in range(3):
    with Store.open(root) as store:
        with store.blobs.writer() as writer:
            writer.write(os.urandom(3000))
            writer.write(os.urandom(3000))
            say("blob", writer.commit().digest)
        data = os.urandom(5000)
        with store.partials.claim(Digest(digest.of(data)), len(data), print) as part:
            part.write_at(2000, memoryview(data)[2000:])
            part.write_at(0, memoryview(data)[:2000])
            part.catch_up()
            part.commit(store.blobs.path(digest.of(data)))
            say("blob", digest.of(data))
        with store.records.transaction():
            store.records.collection("box", str).insert(f"first{number}", "x" * 5000, unique=[f"name{number}"])
            store.records.collection("box", str).insert(f"second{number}", "y")
    say("record", f"{number}")
"""
ARCHIVE = """
import json, tarfile
from jubako.image import archive
from jubako.image.catalog import Images
from jubako.store import Store, digest
def image(number):
    layer, out = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        member = tarfile.TarInfo(f"file{number}")
        member.size = 3000
        tar.addfile(member, io.BytesIO(os.urandom(3000)))
    rootfs = {"type": "layers", "diff_ids": [digest.of(layer.getvalue())]}
    files = {
        "config.json": json.dumps({"architecture": "amd64", "os": "linux", "rootfs": rootfs}).encode(),
        "layer.tar": layer.getvalue(),
    }
    described = {"Config": "config.json", "RepoTags": [f"i:{number}"], "Layers": ["layer.tar"]}
    files["manifest.json"] = json.dumps([described]).encode()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return io.BytesIO(out.getvalue())
for number in range(2):
    with Store.open(root) as store:
        archive.load(store, image(number), Images(store))
    say("image", f"i:{number}")
"""
COMPACTION = """
import gzip, tarfile
from jubako.engine.drivers import Drivers
from jubako.snapshot.compact import compact, restore
from jubako.snapshot.unpack import unpack_layer
from jubako.spec.oci_image import LAYER_GZIP, Descriptor, DiffID
from jubako.store import digest
drivers = Drivers(root, root.with_name("run"))
plain = io.BytesIO()
with tarfile.open(fileobj=plain, mode="w") as tar:
    for number in range(6):
        member = tarfile.TarInfo(f"file{number}")
        member.size = 20000
        tar.addfile(member, io.BytesIO(os.urandom(20000)))
blob = drivers.store.blobs.put(gzip.compress(plain.getvalue(), mtime=7))
say("blob", blob.digest)
diff_id = DiffID(digest.of(plain.getvalue()))
described = Descriptor(media_type=LAYER_GZIP, digest=blob.digest, size=blob.size)
unpack_layer(drivers.store, drivers.snapshots, diff_id, described)
for turn in range(2):
    assert compact(drivers.store, drivers.snapshots, blob.digest, diff_id, dry_run=False).freed_bytes
    assert drivers.store.blobs.is_recipe(blob.digest)
    restore(drivers.store, blob.digest)
    assert not drivers.store.blobs.is_recipe(blob.digest)
drivers.close()
"""
PUSH = """
import hashlib, json
from jubako.registry.server.blobs import Blobs
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.state import State
from jubako.registry.server.uploads import Uploads
from jubako.spec.oci_image import CONFIG, LAYER_GZIP, MANIFEST, Digest
state = State(root)
blobs, manifests = Blobs(state), Manifests(state)
uploads = Uploads(state, blobs)
def push(data):
    digest = Digest("sha256:" + hashlib.sha256(data).hexdigest())
    session = uploads.start("a", "ann")
    for piece in (data[:1000], data[1000:]):
        with uploads.opened("a", session, "ann") as upload:
            upload.append(piece)
    with uploads.opened("a", session, "ann") as upload:
        uploads.finish("a", session, upload, digest)
    say("blob", digest)
    return {"digest": digest, "size": len(data)}
for number in range(2):
    layer, config = push(os.urandom(4000)), push(os.urandom(2000))
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config | {"mediaType": CONFIG},
                "layers": [layer | {"mediaType": LAYER_GZIP}]}
    manifests.put("a", "latest", MANIFEST, json.dumps(document).encode())
    say("manifest", hashlib.sha256(json.dumps(document).encode()).hexdigest())
"""
OBJECTS = """
from jubako.cluster.store import Create, Delete, DurableStore, Options, Update
store = DurableStore(root, Options(ephemeral={"/leases/": None}))
for number in range(2):
    def do(state, write):
        event = store.submit([write]).result()[0]
        say("object", write.key, str(state), str(event.revision))
        return event.revision
    last = do(1, Create(f"/a/{number}", b"1" * 3000))
    do(1, Create(f"/leases/{number}", b""))
    last = do(2, Update(f"/a/{number}", b"2" * 5000, last))
    do(3, Delete(f"/a/{number}", last))
    do(1, Create(f"/b/{number}", b"1" * 4000))
    store.compact(last).result()
    if not number:
        store.close()
        store = DurableStore(root, Options(ephemeral={"/leases/": None}))
"""


def promised(said: list[str], kind: str) -> list[str]:
    return [line.partition(" ")[2] for line in said if line.startswith(f"{kind} ")]


def store_is_sound(root: Path, said: list[str]) -> None:
    with Store.open(root) as store:
        blobs_are_sound(store, promised(said, "blob"))
        boxes = store.records.collection("box", str)
        for number in promised(said, "record"):
            assert boxes.get(f"second{number}") == "y"
        for key in boxes.keys("first"):
            assert boxes.by_unique(f"name{key[-1]}") == (key, "x" * 5000)
            assert boxes.get(f"second{key[-1]}") == "y"
        assert store.records.check() == []
        sweep(store, list)
        assert [*store.blobs, *store.ingest.path.iterdir()] == []


def blobs_are_sound(store: Store, wanted: list[str]) -> None:
    for name in store.blobs:
        assert digest.of(store.blobs.read(name)) == name
    assert set(wanted) <= set(store.blobs)


def images_are_sound(root: Path, said: list[str]) -> None:
    with Store.open(root) as store:
        blobs_are_sound(store, [])
        found = Images(store).list()
        assert {name for image in found for name in image.repo_tags} >= set(promised(said, "image"))
        for image in found:
            for needed in (image.target, image.manifest.config, *image.manifest.layers):
                assert store.blobs.exists(needed.digest)


def compacted_is_sound(root: Path, said: list[str]) -> None:
    with closing(Drivers(root, root.with_name("run"))) as drivers:
        blobs_are_sound(drivers.store, promised(said, "blob"))


def registry_is_sound(root: Path, said: list[str]) -> None:
    with closing(State(root)) as state:
        recorded = {key.partition("@")[2] for key, _ in [*state.read.blobs.items(), *state.read.manifests.items()]}
        assert recorded >= {*promised(said, "blob"), *(f"sha256:{name}" for name in promised(said, "manifest"))}
        for name in recorded:
            assert digest.of(state.storage.read(name, limit=1 << 20)) == name
        for _, entry in state.read.manifests.items():
            assert recorded >= {str(blob) for blob in entry.blobs}


def objects_are_sound(root: Path, said: list[str]) -> None:
    with closing(DurableStore(root, Options(ephemeral={"/leases/": None}))) as store:
        states = dict.fromkeys(("/a/0", "/a/1", "/b/0", "/b/1"), 0)
        for line in promised(said, "object"):
            key, state, revision = line.split()
            assert store.revision >= int(revision)
            states |= {key: int(state)} if key in states else {}
        held = {item.key: int(item.value[:1]) for item in store.list("/").items}
        for key, state in states.items():
            # What was begun may have been done; what is not there was deleted, or not made yet.
            assert held.get(key, 3 if state >= 2 else 0) in (state, state + 1)
        assert store.submit([Create("/new", b"")]).result(30)


WORK: dict[str, tuple[str, Check]] = {
    "blobs and records": (BLOBS_AND_RECORDS, store_is_sound),
    "images loaded": (ARCHIVE, images_are_sound),
    "blobs compacted and made again": (COMPACTION, compacted_is_sound),
    "a registry's pushes": (PUSH, registry_is_sound),
    "a cluster's objects": (OBJECTS, objects_are_sound),
}


@pytest.mark.parametrize("work", WORK)
def test_power_lost_at_any_moment_loses_nothing_that_was_promised(work: str, tmp_path: Path) -> None:
    program, check = WORK[work]
    root = tmp_path / "disk" / "root"
    root.parent.mkdir()
    ops = record(BEGIN + program, str(root), log=tmp_path / "strace")
    assert any(kind == "say" for kind, _, _, _ in ops)
    disk, said = Disk(root), list[str]()
    for number, op in enumerate(ops):
        if op[0] == "say":
            said += op[2].decode().splitlines()
        disk.apply(op)
        if op[0] == "say" or any(path.startswith(str(root)) for path in op[1]):
            for variant in VARIANTS:
                after(disk, variant, number, tmp_path / "left", said, check)


def after(disk: Disk, variant: str, moment: int, left: Path, said: list[str], check: Check) -> None:
    disk.left(left, variant, moment)
    try:
        if (left / disk.root.name).exists() or said:
            check(left / disk.root.name, said)
    except BaseException as error:
        raise AssertionError(f"{variant} after operation {moment}, promised {said}: {error!r}") from error
    finally:
        shutil.rmtree(left)


def test_what_was_not_synced_is_lost(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "root")
    synced = str(tmp_path / "root/synced")
    ops: list[Op] = [
        ("mkdir", (str(tmp_path / "root"),), b"", 0),
        ("create", (synced,), b"", 0),
        ("append", (synced,), b"kept", 0),
        ("fsync", (synced,), b"", 0),
        ("fsync", (str(tmp_path / "root"),), b"", 0),
        ("fsync", (str(tmp_path),), b"", 0),
        ("append", (synced,), b"lost", 0),
        ("create", (synced + "not",), b"", 0),
    ]
    for op in ops:
        disk.apply(op)
    for variant, content in (("lost", b"kept"), ("names", b"kept"), ("zeros", b"kept" + bytes(4))):
        disk.left(tmp_path / variant, variant)
        assert (tmp_path / variant / "root/synced").read_bytes() == content
        assert (tmp_path / variant / "root/syncednot").exists() == (variant != "lost")
