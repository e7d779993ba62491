"""Layers made to reach out of the root, or to be more than they seem. Each is refused, or stays inside.

The `target` fixture proves at the end that what lies beside the root was not touched.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile

import pytest

from jubako.errors import DataLoss, InvalidArgument, JubakoError, ResourceExhausted
from jubako.image.layer import Limits, unpack

from .conftest import Target, info, tar_of

pytestmark = pytest.mark.root

SYM, HARD, DIR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "./../outside", "..", "a/../.."])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, SYM, HARD, DIR, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_name_that_leads_out_is_refused(target: Target, name: str, kind: bytes) -> None:
    with pytest.raises(InvalidArgument, match="leads out of the root"):
        target.unpack(("a/", b""), ("x", b""), info(name, kind, linkname="x"))


@pytest.mark.parametrize("name", ["/outside", "//outside", "/../outside", "/../../outside", "a/../outside"])
def test_an_absolute_name_is_one_in_the_root(target: Target, name: str) -> None:
    target.unpack((name, b"inside"))
    assert target.describe()["outside"] == b"inside"


@pytest.mark.parametrize("link", ["..", "/..", "../..", "/../../..", "/tmp/../.."])
def test_a_link_ancestor_is_followed_inside_the_root(target: Target, link: str) -> None:
    target.unpack(info("a", SYM, linkname=link), ("a/outside", b"inside"))
    assert b"inside" in target.describe().values()


def test_a_chain_of_link_ancestors_stays_inside(target: Target) -> None:
    target.unpack(
        ("d/", b""),
        info("d/up", SYM, linkname=".."),
        info("d/upup", SYM, linkname="up/.."),
        info("abs", SYM, linkname="/d/upup/../.."),
        ("d/up/one", b"1"),
        ("d/upup/two", b"2"),
        ("abs/three", b"3"),
    )
    assert {"one": b"1", "two": b"2", "three": b"3"}.items() <= target.describe().items()


def test_a_link_ancestor_to_nowhere_makes_its_target_inside(target: Target) -> None:
    target.unpack(info("a", SYM, linkname="/made/here"), ("a/f", b"x"))
    assert target.describe() == {
        "a": "-> /made/here",
        "made": "directory",
        "made/here": "directory",
        "made/here/f": b"x",
    }


def test_links_that_lead_in_circles_are_refused(target: Target) -> None:
    with pytest.raises(InvalidArgument):
        target.unpack(info("a", SYM, linkname="b"), info("b", SYM, linkname="a"), ("a/f", b"x"))


def test_a_file_is_not_written_through_a_link_of_its_own_name(target: Target) -> None:
    target.unpack(info("a", SYM, linkname="../outside"), ("a", b"mine"))
    assert target.describe() == {"a": b"mine"}


def test_attributes_are_not_set_through_a_link(target: Target) -> None:
    target.unpack(
        info("a", SYM, linkname="../outside", mode=0o777, uid=5, mtime=1, pax_headers={"SCHILY.xattr.user.x": "y"})
    )
    outside = os.stat(target.path.parent / "outside")
    assert (outside.st_uid, outside.st_mtime == 1) == (0, False)


@pytest.mark.parametrize("link", ["../outside", "/../outside", "a/outside", "up/outside", "/etc/passwd"])
def test_a_hard_link_out_of_the_root_is_refused(target: Target, link: str) -> None:
    with pytest.raises(JubakoError):
        target.unpack(info("a", SYM, linkname="/.."), info("up", SYM, linkname="../.."), info("h", HARD, linkname=link))
    assert not (target.path / "h").exists()


def test_a_hard_link_to_a_link_is_the_link(target: Target) -> None:
    target.unpack(info("s", SYM, linkname="../outside"), info("h", HARD, linkname="s"), ("h", b"new"))
    assert target.describe() == {"s": "-> ../outside", "h": b"new"}


@pytest.mark.parametrize("link", ["", ".", "/", "d/.."])
def test_a_hard_link_to_the_root_is_refused(target: Target, link: str) -> None:
    with pytest.raises(InvalidArgument, match="hard link to the root"):
        target.unpack(("d/", b""), info("h", HARD, linkname=link))


def test_a_hard_link_to_what_is_not_there_or_a_directory_is_refused(target: Target) -> None:
    with pytest.raises(DataLoss, match="not there"):
        target.unpack(info("h", HARD, linkname="absent/file"))
    with pytest.raises(JubakoError):
        target.unpack(("d/", b""), info("h", HARD, linkname="d"))


@pytest.mark.parametrize("name", ["", ".", "/", "./."])
def test_the_root_can_only_be_a_directory(target: Target, name: str) -> None:
    with pytest.raises(InvalidArgument, match="in place of the root"):
        target.unpack(info(name, size=1))
    target.unpack(info(name, SYM, linkname="x"), info(name, DIR, mode=0o711))


def test_a_file_can_not_be_a_parent(target: Target) -> None:
    with pytest.raises(InvalidArgument, match="not a directory"):
        target.unpack(("a", b""), ("a/b", b""))


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh..."])
@pytest.mark.parametrize("whiteouts", ["overlay", "apply"])
def test_a_whiteout_of_its_own_directory_or_the_parent_is_refused(target: Target, name: str, whiteouts: str) -> None:
    with pytest.raises(InvalidArgument, match="is a whiteout of"):
        target.unpack(tar_of(("d/", b""), (name, b"")), whiteouts=whiteouts)  # type: ignore[arg-type]


def test_whiteouts_through_links_stay_inside(target: Target) -> None:
    layer = tar_of(info("a", SYM, linkname="/.."), ("a/.wh.outside", b""), ("a/.wh..wh..opq", b""))
    target.unpack(layer)
    target.unpack(layer, whiteouts="apply")


def test_device_nodes_are_made_and_never_opened(target: Target) -> None:
    target.unpack(
        info("fifo", tarfile.FIFOTYPE),
        info("dev", tarfile.CHRTYPE, devmajor=5, devminor=1),
        info("fifo", size=4),
        info("dev", size=4),
    )
    assert target.describe() == {"fifo": b"dddd", "dev": b"dddd"}


@pytest.mark.parametrize("name", ["n" * 256, "d/" * 9000, "x" * 5000, "n" * 300 + "/f"])
def test_names_that_are_too_long_are_refused(target: Target, name: str) -> None:
    with pytest.raises(InvalidArgument):
        target.unpack(("ok", b""), (name, b""))


def test_an_impossible_device_number_is_corruption(target: Target) -> None:
    layer = bytearray(tar_of(info("dev", tarfile.CHRTYPE, devmajor=1, devminor=3), format=tarfile.GNU_FORMAT))
    layer[329:337] = b"\x80" + b"\xff" * 7
    layer[148:156] = b" " * 8
    layer[148:156] = b"%06o\0 " % sum(layer[:512])
    with pytest.raises(DataLoss, match="device number"):
        target.unpack(bytes(layer))


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, DIR, SYM, tarfile.FIFOTYPE])
@pytest.mark.parametrize("uid", [(1 << 32) - 1, 1 << 32, 1 << 60])
def test_an_impossible_owner_is_refused(target: Target, kind: bytes, uid: int) -> None:
    with pytest.raises(InvalidArgument, match="impossible owner"):
        target.unpack(info("a", kind, uid=uid, linkname="x"))


def test_bombs_hit_the_caps(target: Target) -> None:
    zeros = gzip.compress(tar_of(info("big", size=8 << 20)).replace(b"d", b"\0"))
    with pytest.raises(ResourceExhausted):
        target.unpack(zeros, limits=Limits(output_bytes=1 << 20))
    with pytest.raises(ResourceExhausted):
        target.unpack(zeros, limits=Limits(ratio=10, ratio_from_bytes=1 << 20))
    with pytest.raises(ResourceExhausted, match="entries"):
        target.unpack(tar_of(*((f"f{number}", b"") for number in range(100))), limits=Limits(entries=50))
    with pytest.raises(ResourceExhausted, match="directories"):
        target.unpack(tar_of(("a/" * 100 + "f", b"")), limits=Limits(entries=50))


def test_a_sparse_bomb_takes_no_space(target: Target) -> None:
    member = info("huge", size=1, pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 43)})
    try:
        target.unpack(member)
    except ResourceExhausted:
        return
    assert target.stat("huge").st_blocks < 100


LAYER = gzip.compress(tar_of(("a", os.urandom(5000)), ("b", os.urandom(5000))))


@pytest.mark.parametrize("end", [3, 10, 20, 1000, 5000, len(LAYER) - 9, len(LAYER) - 1])
def test_a_truncated_layer_is_data_loss(target: Target, end: int) -> None:
    with pytest.raises(DataLoss, match=r"truncated|corrupt"):
        unpack(io.BytesIO(LAYER[:end]), target.fd)


@pytest.mark.parametrize("position", [15, 100, 5000, len(LAYER) - 6])
def test_a_corrupt_layer_is_data_loss(target: Target, position: int) -> None:
    data = bytearray(LAYER)
    data[position] ^= 0x55
    with pytest.raises(DataLoss):
        unpack(io.BytesIO(bytes(data)), target.fd)


def test_an_error_leaves_no_thread_and_no_descriptor(target: Target) -> None:
    import threading

    before = (threading.active_count(), len(os.listdir("/proc/self/fd")))
    for layer in (LAYER[:1000], tar_of(("a/", b""), ("a/b/c", b""), ("../x", b"")), b"x" * 2048):
        with pytest.raises(JubakoError):
            target.unpack(layer, whiteouts="apply")
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before


def test_a_full_disk_is_resource_exhausted_and_says_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    import subprocess

    mount = tmp_path_factory.mktemp("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], check=True)
    try:
        small = Target(mount)
        with pytest.raises(ResourceExhausted, match="No space left") as caught:
            small.unpack(info("big", size=4 << 20))
        assert "prune" in str(caught.value.hint)
        os.close(small.fd)
    finally:
        subprocess.run(["umount", mount], check=True)
