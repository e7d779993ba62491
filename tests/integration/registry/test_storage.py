"""One suite for all storage drivers, and a registry over each of them."""

from __future__ import annotations

import os

import pytest

from jubako.errors import DataLoss, NotFound, Unavailable
from jubako.registry.client import pull, push
from jubako.registry.server.collect import collect
from jubako.registry.server.config.schema import S3
from jubako.registry.server.storage.disk import Disk
from jubako.registry.server.storage.objects import Objects

from .images import make_image
from .objectstore import BUCKET, object_store
from .peer import digest_of

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    with object_store(tmp_path_factory.mktemp("objects")) as store:
        yield store


@pytest.fixture
def prefix():
    return os.urandom(4).hex()


@pytest.fixture
def s3(objects, prefix):
    return S3(
        bucket=BUCKET,
        prefix=prefix,
        endpoint=objects.endpoint,
        access_key_id="key",
        secret_access_key_file=objects.secret,
    )


@pytest.fixture(params=["disk", "s3"])
def driver(request, store):
    return Disk(store) if request.param == "disk" else Objects(request.getfixturevalue("s3"))


@pytest.fixture
def source(tmp_path):
    def make(data):
        path = tmp_path / os.urandom(4).hex()
        path.write_bytes(data)
        return path, digest_of(data)

    return make


def test_nothing_is_there_at_first(driver):
    absent = digest_of(b"absent")
    assert not driver.exists(absent)
    assert driver.delete(absent) is None
    assert list(driver.stored()) == []
    for ask in (
        lambda: driver.size(absent),
        lambda: driver.read(absent, limit=9),
        lambda: [*driver.pieces(absent, 0, 9)],
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize("size", [0, 1, 3_000_000, 20_000_000])
def test_placed_file_comes_back(driver, source, size):
    data = os.urandom(size)
    path, digest = source(data)
    driver.place(path, digest)
    path.unlink()
    assert (driver.exists(digest), driver.size(digest)) == (True, size)
    assert b"".join(driver.pieces(digest, 0, size)) == data
    assert b"".join(driver.pieces(digest, size // 3, size // 2)) == data[size // 3 : size // 2]
    ((found, length, placed),) = driver.stored()
    assert (found, length, placed > 0) == (digest, size, True)


def test_placing_again_changes_nothing(driver, source):
    data = os.urandom(1000)
    path, digest = source(data)
    for _ in range(2):
        driver.place(path, digest)
        driver.put(data, digest)
    assert driver.read(digest, limit=1000) == data
    assert len(list(driver.stored())) == 1


def test_read_is_bounded(driver):
    driver.put(b"12345", digest_of(b"12345"))
    with pytest.raises(DataLoss, match="longer than 4"):
        driver.read(digest_of(b"12345"), limit=4)


def test_deleted_is_gone(driver):
    digest = digest_of(b"data")
    driver.put(b"data", digest)
    assert driver.delete(digest) is not None
    assert (driver.exists(digest), driver.delete(digest), list(driver.stored())) == (False, None, [])


def test_sha512(driver, tmp_path):
    import hashlib

    digest = "sha512:" + hashlib.sha512(b"data").hexdigest()
    driver.put(b"data", digest)
    assert driver.read(digest, limit=9) == b"data"
    assert [stored.digest for stored in driver.stored()] == [digest]


@pytest.fixture
def registry(objects, prefix, serve_file):
    with serve_file(objects.section(prefix)) as http:
        yield http


def test_registry_over_objects_pushes_pulls_and_serves_ranges(registry, objects, prefix, store, other, options):
    from jubako.image.catalog import Images

    image = make_image(store, "app", os.urandom(12_000_000), b"small")
    push(store, image, registry.reference("app:v1"), options=options)
    pull(other, Images(other), registry.reference("app:v1"), options=options)
    assert Images(other).resolve(str(registry.reference("app:v1"))).manifest_digest == image.manifest_digest
    digest = image.manifest.layers[0].digest
    data = store.blobs.read(digest, limit=1 << 30)
    answer = registry("GET", f"/v2/app/blobs/{digest}", Range="bytes=5000000-5000009")
    assert (answer.status, answer.data) == (206, data[5_000_000:5_000_010])
    assert answer.headers["Content-Range"] == f"bytes 5000000-5000009/{len(data)}"
    assert registry("GET", f"/v2/app/blobs/{digest}", Range="bytes=9-5").status == 416
    assert registry("HEAD", f"/v2/app/blobs/{digest}").headers["Content-Length"] == str(len(data))
    assert len(objects.keys(prefix)) == 4
    assert objects.uploads() == []


def test_collection_takes_objects_that_nothing_names(registry, registry_root, objects, prefix, s3):
    from jubako.registry.server.config.schema import Storage

    kept = registry.push_blob("a", b"kept")
    registry("DELETE", f"/v2/a/blobs/{registry.push_blob('a', b'gone')}")
    result = collect(registry_root, storage=Storage(s3=s3), grace_s=-3600, untagged=False)
    assert (result.blobs, objects.keys(prefix)) == (2, [])
    assert registry("GET", f"/v2/a/blobs/{kept}").status == 404
    again = registry.push_blob("a", b"kept")
    assert registry("GET", f"/v2/a/blobs/{again}").data == b"kept"


def test_object_store_that_is_away_is_told_and_loses_nothing(serve_file, objects, caplog):
    section = objects.section("away").replace(objects.endpoint, "http://127.0.0.1:9")
    with serve_file(section) as http:
        answer = http("POST", f"/v2/a/blobs/uploads/?digest={digest_of(b'data')}", b"data")
        assert answer.status == 503
        assert "object store failed" in answer.json()["errors"][0]["message"]
        assert "object store failed" in caplog.text
        assert http("HEAD", f"/v2/a/blobs/{digest_of(b'data')}").status == 404


def test_unreachable_store_is_unavailable(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    driver = Objects(S3(bucket="x", endpoint="http://127.0.0.1:9", access_key_id="x", secret_access_key_file=secret))
    with pytest.raises(Unavailable):
        driver.exists(digest_of(b"x"))
