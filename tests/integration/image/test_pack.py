"""Trees to layers: the same bytes for the same tree, read back by tarfile, and overlay's marks as whiteouts."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import socket
import stat
import tarfile
from pathlib import Path

import pytest
import zstandard

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.image.layer import pack, pack_blob, unpack
from jubako.image.layer.packing import Compression, Whiteouts
from jubako.store import Store

from .conftest import Target, describe

pytestmark = pytest.mark.root


def packed(path: Path, *, whiteouts: Whiteouts = "overlay", source_date_epoch: int | None = None) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    out = io.BytesIO()
    try:
        result = pack(fd, out, whiteouts=whiteouts, source_date_epoch=source_date_epoch)
    finally:
        os.close(fd)
    assert result.diff_id == "sha256:" + hashlib.sha256(out.getvalue()).hexdigest()
    return out.getvalue()


def members(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {member.name: member for member in archive}


@pytest.fixture
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pack") / "tree"
    (root / "etc" / "deep").mkdir(parents=True)
    (root / "etc" / "name").write_bytes(b"content")
    (root / "etc" / "name").chmod(0o4755)
    os.link(root / "etc" / "name", root / "hard")
    (root / "link").symlink_to("../nowhere")
    os.mkfifo(root / "fifo")
    os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.chown(root / "etc" / "deep", 1 << 22, 5)
    (root / ("long" * 40)).write_bytes(b"x" * 3_000_000)
    for path in (root, *root.rglob("*")):
        os.utime(path, ns=(0, 1_700_000_000_999_999_999), follow_symlinks=False)
    return root


def test_the_standard_library_reads_what_was_packed(tree: Path) -> None:
    found = members(packed(tree))
    assert list(found) == sorted(found)
    assert (found["etc/name"].mode, found["etc/name"].mtime, found["etc/name"].uname) == (0o4755, 1_700_000_000, "")
    assert found["etc/deep"].isdir()
    assert (found["etc/deep"].uid, found["etc/deep"].gid) == (1 << 22, 5)
    assert (found["hard"].islnk(), found["hard"].linkname) == (True, "etc/name")
    assert (found["link"].issym(), found["link"].linkname) == (True, "../nowhere")
    assert found["fifo"].isfifo()
    assert (found["null"].devmajor, found["null"].devminor) == (1, 3)
    assert found["long" * 40].size == 3_000_000
    assert "" not in found
    assert "." not in found


def test_what_was_packed_unpacks_to_the_same_tree_and_packs_to_the_same_bytes(tree: Path, target: Target) -> None:
    os.setxattr(tree / "etc" / "name", "user.note", b"\x00\xff")
    data = packed(tree)
    target.unpack(data)
    assert target.describe() == describe(tree)
    assert os.getxattr(target.path / "etc" / "name", "user.note") == b"\x00\xff"
    assert packed(target.path) == data


def test_source_date_epoch_is_the_latest_time(tree: Path) -> None:
    os.utime(tree / "fifo", (5, 5))
    found = members(packed(tree, source_date_epoch=1000))
    assert {name: member.mtime for name, member in found.items() if member.mtime != 1000} == {"fifo": 5}


def test_overlay_marks_become_whiteouts_and_are_not_kept_themselves(tmp_path: Path) -> None:
    (tmp_path / "opaque" / "in").mkdir(parents=True)
    os.mknod(tmp_path / "gone", stat.S_IFCHR, 0)
    os.mknod(tmp_path / "opaque" / "gone", stat.S_IFCHR, 0)
    os.setxattr(tmp_path / "opaque", "trusted.overlay.opaque", b"y")
    os.setxattr(tmp_path / "opaque" / "in", "trusted.overlay.impure", b"y")
    os.setxattr(tmp_path / "opaque" / "in", "trusted.overlay.origin", b"\x00\xfb")
    found = members(packed(tmp_path))
    assert sorted(found) == [".wh.gone", "opaque", "opaque/.wh..wh..opq", "opaque/.wh.gone", "opaque/in"]
    assert all(found[name].isreg() and not found[name].size for name in found if ".wh." in name)
    assert not any(member.pax_headers for member in found.values())


def test_a_plain_tree_has_devices_for_what_overlay_calls_whiteouts(tmp_path: Path) -> None:
    os.mknod(tmp_path / "gone", stat.S_IFCHR, 0)
    (tmp_path / ".wh.name").write_bytes(b"")
    found = members(packed(tmp_path, whiteouts="none"))
    assert found["gone"].ischr()
    assert ".wh.name" in found


def test_a_name_that_would_mean_a_deletion_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".wh.passwd").write_bytes(b"")
    with pytest.raises(InvalidArgument, match="mean a deletion"):
        packed(tmp_path)


@pytest.mark.parametrize("mark", ["redirect", "metacopy"])
def test_an_upper_that_only_refers_to_its_lower_is_refused(tmp_path: Path, mark: str) -> None:
    (tmp_path / "d").mkdir()
    os.setxattr(tmp_path / "d", f"trusted.overlay.{mark}", b"/elsewhere")
    with pytest.raises(FailedPrecondition, match="lower layer"):
        packed(tmp_path)


def test_sockets_are_left_out(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert members(packed(tmp_path)) == {}


def test_capabilities_go_along_and_labels_of_the_host_do_not(tmp_path: Path) -> None:
    (tmp_path / "ping").write_bytes(b"")
    value = bytes.fromhex("0100000200040000000000000000000000000000")
    os.setxattr(tmp_path / "ping", "security.capability", value)
    os.setxattr(tmp_path / "ping", "trusted.md5sum", b"host")
    (headers,) = [member.pax_headers for member in members(packed(tmp_path)).values()]
    assert {name: text.encode("utf-8", "surrogateescape") for name, text in headers.items()} == {
        "SCHILY.xattr.security.capability": value
    }


def test_an_empty_directory_is_an_empty_layer(tmp_path: Path) -> None:
    assert packed(tmp_path) == bytes(1024)


def test_a_very_deep_tree_is_packed(target: Target) -> None:
    target.unpack(("d/" * 400 + "f", b"x"))
    assert len(members(packed(target.path))) == 401


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_a_blob_is_stored_with_its_descriptor(tree: Path, target: Target, compression: Compression) -> None:
    with Store.open(tree.parent / "store") as store:
        fd = os.open(tree, os.O_RDONLY)
        descriptor, diff_id = pack_blob(fd, store.blobs, compression=compression)
        assert pack_blob(fd, store.blobs, compression=compression) == (descriptor, diff_id)
        os.close(fd)
        stored = store.blobs.read(descriptor.digest)
    assert len(stored) == descriptor.size
    plain = stored
    if compression == "gzip":
        plain = gzip.decompress(stored)
    if compression == "zstd":
        plain = zstandard.ZstdDecompressor().decompressobj().decompress(stored)
    assert diff_id == "sha256:" + hashlib.sha256(plain).hexdigest()
    assert unpack(io.BytesIO(stored), target.fd, media_type=descriptor.media_type).diff_id == diff_id


def test_a_failing_output_ends_the_packing(tree: Path) -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise OSError(28, "No space left on device")

    fd = os.open(tree, os.O_RDONLY)
    with pytest.raises(OSError, match="No space left"):
        pack(fd, Full())
    os.close(fd)
