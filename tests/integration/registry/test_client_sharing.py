"""One download for all who want a blob; one that broke off, or was killed, goes on; large blobs come in ranges."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from tests.waiting import until

from jubako.errors import DataLoss, ResourceExhausted, Unavailable
from jubako.image.catalog import Images
from jubako.image.reference import parse
from jubako.linux.locks import try_lock
from jubako.registry.client import ClientOptions, pull
from jubako.store import Store, sweep

from .images import make_image, nothing_is_left
from .scripted import Answer, Asked, scripted

pytestmark = pytest.mark.root

PULL = """
import sys
from jubako.image.catalog import Images
from jubako.image.reference import parse
from jubako.registry.client import pull
from jubako.store import Store
with Store.open(sys.argv[1]) as store:
    print(pull(store, Images(store), parse(sys.argv[2])).id)
"""


def puller(root: Path, name: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PULL, str(root), name], stdout=subprocess.PIPE, text=True)


def partials(store: Store) -> list[str]:
    return os.listdir(store.root / "partial")


def test_processes_that_pull_the_same_image_download_each_blob_once(honest, image, other):
    """No blob is answered before both have asked for the configuration, or have had the time to."""
    both = threading.Event()

    def script(asked: Asked) -> Answer:
        answer = honest(asked)
        if "/manifests/" in asked.path and server.count("/manifests/") == 2:
            both.set()
        if "/blobs/" in asked.path:
            assert both.wait(30)
        return answer

    with scripted(script) as server:
        pulling = [puller(other.root, f"{server.domain}/app:v1") for _ in range(2)]
        assert [process.communicate(timeout=60)[0].strip() for process in pulling] == [image.id] * 2
    assert server.count("/blobs/") == 3
    assert partials(other) == []


def test_threads_with_stores_of_their_own_share_as_well(honest, image, tmp_path, options):
    def one(number: int) -> str:
        with Store.open(tmp_path / "shared") as store:
            return pull(store, Images(store), parse(f"{server.domain}/app:v{number}"), options=options).id

    with scripted(honest) as server, ThreadPoolExecutor(6) as pool:
        assert set(pool.map(one, range(6))) == {image.id}
    assert server.count("/blobs/") == 3


def test_who_waits_for_one_that_stands_still_gives_up_at_last(honest, image, other, options):
    path = other.partials.path(image.manifest.layers[0].digest)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    stopped, impatient = try_lock(path, os.O_RDWR | os.O_CREAT), msgspec.structs.replace(options, standstill_s=0.1)
    try:
        with scripted(honest) as server, pytest.raises(Unavailable, match="stands still") as caught:
            pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=impatient)
    finally:
        os.close(stopped)
    assert str(path) in caught.value.hint


def half_then_stall(honest, image, release: threading.Event):
    """The first time, half of the large layer, and then nothing."""
    large = image.manifest.layers[0].digest

    def script(asked: Asked) -> Answer:
        answer = honest(asked)
        if large in asked.path and "Range" not in asked.headers:
            return Answer(200, answer.body[:4_000_000], length=len(answer.body), stall=release)
        return answer

    return script


def test_what_a_killed_pull_had_is_not_downloaded_again(honest, image, other, fetch):
    release = threading.Event()
    with scripted(half_then_stall(honest, image, release)) as server:
        process = puller(other.root, f"{server.domain}/app:v1")
        until(lambda: any((other.root / "partial" / name).stat().st_size > 3_000_000 for name in present(other)))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        release.set()
        assert fetch(server).id == image.id
        ranges = [asked.headers["Range"] for asked in server.asked if "Range" in asked.headers]
    assert len(ranges) == 1
    assert int(ranges[0].removeprefix("bytes=").rstrip("-")) > 3_000_000
    assert partials(other) == []


def present(store: Store) -> list[str]:
    return partials(store) if (store.root / "partial").is_dir() else []


def test_who_waits_goes_on_where_the_first_gave_up(honest, image, tmp_path, options):
    release = threading.Event()
    never = msgspec.structs.replace(options, retries=0, timeout_s=3)

    def one(own: ClientOptions) -> str:
        with Store.open(tmp_path / "shared") as store:
            try:
                return pull(store, Images(store), parse(f"{server.domain}/app:v1"), options=own).id
            except Unavailable:
                return "gave up"

    with scripted(half_then_stall(honest, image, release)) as server, ThreadPoolExecutor(2) as pool:
        first = pool.submit(one, never)
        until(lambda: server.count(image.manifest.layers[0].digest) == 1)
        second = pool.submit(one, options)
        assert (first.result(), second.result()) == ("gave up", image.id)
        release.set()
    assert server.count(image.manifest.layers[0].digest) == 2


def test_a_beginning_that_a_power_cut_left_wrong_is_downloaded_again(honest, image, other, fetch):
    (other.root / "partial").mkdir()
    digest = image.manifest.layers[0].digest
    (other.root / "partial" / digest.replace(":", "-")).write_bytes(os.urandom(1_000_000))
    with scripted(honest) as server:
        assert fetch(server).id == image.id
    assert server.count(digest) == 2


def test_a_registrys_limit_does_not_cost_what_has_come(honest, image, other, options):
    digest = image.manifest.layers[0].digest

    def script(asked: Asked) -> Answer:
        answer = honest(asked)
        if digest not in asked.path:
            return answer
        if "Range" in asked.headers:
            return Answer(429)
        return answer._replace(body=answer.body[:4_000_000], length=len(answer.body))

    with scripted(script) as server, pytest.raises(ResourceExhausted):
        pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=options)
    (name,) = partials(other)
    assert (other.root / "partial" / name).stat().st_size == 4_000_000


def test_a_wrong_beginning_is_no_fault_of_the_source_that_ends_it(honest, image, other, options, configuration):
    """The first source has nothing; the second is asked again when what was here before turns out to be wrong."""
    (other.root / "partial").mkdir()
    digest = image.manifest.layers[0].digest
    (other.root / "partial" / digest.replace(":", "-")).write_bytes(os.urandom(1_000_000))
    with scripted(lambda asked: Answer(404)) as mirror, scripted(honest) as origin:
        configuration.parent.mkdir(exist_ok=True)
        configuration.with_name("registries.conf").write_text(
            f'[[registry]]\nlocation = "{origin.domain}"\n[[registry.mirror]]\nlocation = "{mirror.domain}"\n'
        )
        assert pull(other, Images(other), parse(f"{origin.domain}/app:v1"), options=options).id == image.id
    assert (mirror.count(digest), origin.count(digest)) == (1, 2)


def test_a_beginning_longer_than_the_blob_is_nothing(honest, image, other, fetch):
    (other.root / "partial").mkdir()
    digest = image.manifest.layers[1].digest
    (other.root / "partial" / digest.replace(":", "-")).write_bytes(os.urandom(1_000_000))
    with scripted(honest) as server:
        assert fetch(server).id == image.id
    assert server.count(digest) == 1


def test_collection_takes_a_beginning_that_nobody_goes_on_with(other):
    (other.root / "partial").mkdir()
    (other.root / "partial" / ("sha256-" + "0" * 64)).write_bytes(bytes(4096))
    assert sweep(other, list).bytes == 4096
    assert partials(other) == []


def in_ranges(options: ClientOptions, count: int = 4) -> ClientOptions:
    return msgspec.structs.replace(options, ranges=count, ranges_from_bytes=1 << 20)


@pytest.mark.parametrize("count", [2, 4, 7])
def test_a_large_blob_comes_in_ranges(honest, image, other, options, count):
    large = image.manifest.layers[0]
    with scripted(honest) as server:
        done = pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=in_ranges(options, count))
        asked = sorted(asked.headers.get("Range", "") for asked in server.asked if large.digest in asked.path)
    assert done.id == image.id
    assert len(asked) == count
    assert all(asked)
    assert other.blobs.read(large.digest, limit=1 << 30)


def test_a_range_that_breaks_off_is_taken_up_and_others_are_not(honest, image, other, options):
    large = image.manifest.layers[0].digest
    broken = threading.Event()

    def script(asked: Asked) -> Answer:
        answer = honest(asked)
        if large in asked.path and asked.headers["Range"].startswith("bytes=0-") and not broken.is_set():
            broken.set()
            return answer._replace(body=answer.body[:500_000], length=len(answer.body))
        return answer

    with scripted(script) as server:
        assert pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=in_ranges(options)).id == image.id
        assert server.count(large) == 5


def test_a_registry_without_ranges_gives_a_large_blob_whole(honest, image, other, options):
    def script(asked: Asked) -> Answer:
        headers = {name: value for name, value in asked.headers.items() if name != "Range"}
        return honest(asked._replace(headers=headers))

    with scripted(script) as server:
        assert pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=in_ranges(options)).id == image.id


def test_a_wrong_range_is_data_loss_and_leaves_nothing(honest, image, other, options):
    def script(asked: Asked) -> Answer:
        answer = honest(asked)
        if asked.headers.get("Range", "bytes=0").startswith("bytes=0"):
            return answer
        return answer._replace(body=bytes(len(answer.body)))

    with scripted(script) as server, pytest.raises(DataLoss, match="does not match"):
        pull(other, Images(other), parse(f"{server.domain}/app:v1"), options=in_ranges(options))
    nothing_is_left(other)
    assert partials(other) == []


def test_an_empty_blob_is_a_blob(store, other, registry, options):
    from jubako.registry.client import push

    image = make_image(store, f"{registry.domain}/empty:v1", b"x")
    empty = store.blobs.put(b"")
    push(store, image, registry.reference("empty:v1"), options=options)
    registry.push_blob("empty", b"")
    from jubako.registry.client import restore
    from jubako.spec.oci_image import LAYER_TAR, Descriptor

    restore(other, registry.reference("empty:v1"), Descriptor(media_type=LAYER_TAR, digest=empty.digest, size=0))
    assert other.blobs.read(empty.digest) == b""
    assert partials(other) == []
