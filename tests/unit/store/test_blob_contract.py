"""What every blob store must do. A new implementation adds one line to IMPLEMENTATIONS."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from jubako.errors import DataLoss, FailedPrecondition, InvalidArgument, NotFound
from jubako.store import BlobStore, Store
from jubako.store import digest as digests

IMPLEMENTATIONS: dict[str, Callable[[Path], BlobStore]] = {"local": lambda root: Store.open(root).blobs}

ABSENT = "sha256:" + "0" * 64


@pytest.fixture(params=IMPLEMENTATIONS)
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return IMPLEMENTATIONS[request.param](tmp_path / "store")


@pytest.mark.parametrize("data", [b"", b"x", b"jubako" * 100_000], ids=["empty", "one", "large"])
def test_what_was_put_is_read_back(blobs: BlobStore, data: bytes) -> None:
    info = blobs.put(data)

    assert info.digest == digests.of(data)
    assert info.size == len(data)
    assert blobs.stat(info.digest) == info
    assert blobs.exists(info.digest)
    assert blobs.read(info.digest) == data
    assert list(blobs) == [info.digest]


def test_put_twice_is_content(blobs: BlobStore) -> None:
    assert blobs.put(b"x") == blobs.put(b"x")
    assert len(list(blobs)) == 1


def test_streamed_writes_add_up(blobs: BlobStore) -> None:
    with blobs.writer() as writer:
        assert writer.write(b"ab") == 2
        assert writer.write(memoryview(b"cd")) == 2
        assert writer.tell() == 4
        info = writer.commit()
    assert blobs.read(info.digest) == b"abcd"


def test_sha512_is_used_when_it_is_expected(blobs: BlobStore) -> None:
    expected = "sha512:" + hashlib.sha512(b"x").hexdigest()
    with blobs.writer(expected=expected) as writer:
        writer.write(b"x")
        assert writer.commit().digest == expected
    assert list(blobs) == [expected]


def test_commit_with_wrong_digest_leaves_no_blob(blobs: BlobStore) -> None:
    with blobs.writer(expected=ABSENT) as writer:
        writer.write(b"x")
        with pytest.raises(DataLoss, match="digest"):
            writer.commit()
    assert list(blobs) == []


def test_commit_with_wrong_size_leaves_no_blob(blobs: BlobStore) -> None:
    with blobs.writer(size=2) as writer:
        writer.write(b"x")
        with pytest.raises(DataLoss, match="1 bytes instead of 2"):
            writer.commit()
    assert list(blobs) == []


def test_expectations_may_come_with_the_commit(blobs: BlobStore) -> None:
    with blobs.writer() as writer:
        writer.write(b"x")
        with pytest.raises(DataLoss):
            writer.commit(expected=ABSENT)
        with pytest.raises(DataLoss):
            writer.commit(size=7)
        assert writer.commit(expected=digests.of(b"x"), size=1).size == 1


def test_leaving_without_commit_discards(blobs: BlobStore) -> None:
    with blobs.writer() as writer:
        writer.write(b"x")
    assert list(blobs) == []
    with pytest.raises(FailedPrecondition):
        writer.commit()


def test_reading_from_an_offset(blobs: BlobStore) -> None:
    digest = blobs.put(b"abcdef").digest
    with blobs.open(digest, offset=4) as stream:
        assert stream.read() == b"ef"
    with blobs.open(digest, offset=6) as stream:
        assert stream.read() == b""
    with pytest.raises(InvalidArgument, match="outside"):
        blobs.open(digest, offset=7)


def test_small_reads_refuse_large_blobs(blobs: BlobStore) -> None:
    digest = blobs.put(b"abc").digest
    assert blobs.read(digest, limit=3) == b"abc"
    with pytest.raises(DataLoss):
        blobs.read(digest, limit=2)


def test_what_is_absent_is_not_found(blobs: BlobStore) -> None:
    assert not blobs.exists(ABSENT)
    assert not blobs.delete(ABSENT)
    for call in (blobs.stat, blobs.open, blobs.read):
        with pytest.raises(NotFound) as caught:
            call(ABSENT)
        assert (caught.value.what, caught.value.name) == ("blob", ABSENT)


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "sha256:../../x", "sha256:" + "A" * 64])
def test_bad_digests_are_refused(blobs: BlobStore, text: str) -> None:
    for call in (blobs.stat, blobs.exists, blobs.open, blobs.read, blobs.delete):
        with pytest.raises(InvalidArgument):
            call(text)


def test_deleted_blobs_are_gone(blobs: BlobStore) -> None:
    digest = blobs.put(b"x").digest
    assert blobs.delete(digest)
    assert not blobs.exists(digest)
    assert not blobs.delete(digest)


def test_threads_that_write_the_same_blob_all_succeed(blobs: BlobStore) -> None:
    results: list[str] = []

    def write() -> None:
        with blobs.writer() as writer:
            for _ in range(50):
                writer.write(b"same" * 1000)
            results.append(writer.commit().digest)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(results) == 8
    assert len(set(results)) == 1
    assert digests.of(blobs.read(results[0])) == results[0]
