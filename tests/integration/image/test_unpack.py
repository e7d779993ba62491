"""Layers onto a real file system: every kind of entry, every attribute."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Literal

import pytest
import zstandard

from jubako.errors import InvalidArgument
from jubako.image.layer import pack, unpack

from .conftest import Target, info, tar_of

pytestmark = pytest.mark.root
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")


def test_every_kind_of_entry_is_made(target: Target) -> None:
    result = target.unpack(
        ("etc/", b""),
        ("etc/name", b"content"),
        info("link", tarfile.SYMTYPE, linkname="/etc/name"),
        info("hard", tarfile.LNKTYPE, linkname="etc/name"),
        info("null", tarfile.CHRTYPE, devmajor=1, devminor=3),
        info("disk", tarfile.BLKTYPE, devmajor=8, devminor=0),
        info("fifo", tarfile.FIFOTYPE),
        ("implied/parents/of/it", b"x"),
    )
    assert target.describe() == {
        "etc": "directory",
        "etc/name": b"content",
        "link": "-> /etc/name",
        "hard": b"content",
        "null": "c",
        "disk": "b",
        "fifo": "p",
        "implied": "directory",
        "implied/parents": "directory",
        "implied/parents/of": "directory",
        "implied/parents/of/it": b"x",
    }
    assert target.stat("hard").st_ino == target.stat("etc/name").st_ino
    assert target.stat("null").st_rdev == os.makedev(1, 3)
    assert (result.entries, result.size_bytes) == (8, 8)


@pytest.mark.parametrize("whiteouts", ["overlay", "apply"])
def test_directories_without_an_entry_are_the_same_each_time(
    target: Target, whiteouts: Literal["overlay", "apply"]
) -> None:
    old = os.umask(0o077)
    try:
        target.unpack(
            tar_of(
                info("a/b/one", mtime=1000),
                info("a/two", mtime=2000),
                info("gone/.wh.x", mtime=3000),
                info("said/later", mtime=4000),
                info("said", tarfile.DIRTYPE, mode=0o700, mtime=5000),
            ),
            whiteouts=whiteouts,
        )
    finally:
        os.umask(old)
    found = {name: target.stat(name) for name in ("a", "a/b", "gone", "said")}
    assert {name: (stat.S_IMODE(one.st_mode), one.st_mtime) for name, one in found.items()} == {
        "a": (0o755, 1000),
        "a/b": (0o755, 1000),
        "gone": (0o755, 3000),
        "said": (0o700, 5000),
    }


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_modes_and_owners_are_exact_whatever_the_umask(target: Target, umask: int) -> None:
    modes = {"plain": 0o644, "open": 0o666, "suid": 0o4755, "sgid": 0o2711, "sticky": 0o1777, "none": 0}
    old = os.umask(umask)
    try:
        target.unpack(
            *(info(name, mode=mode, uid=1000, gid=2000, size=3) for name, mode in modes.items()),
            *(info("d" + name, tarfile.DIRTYPE, mode=mode, gid=7) for name, mode in modes.items()),
            *(info("own" + name, mode=mode) for name, mode in modes.items()),
            info("fifo", tarfile.FIFOTYPE, mode=0o666),
        )
        assert os.umask(umask) == umask
    finally:
        os.umask(old)
    for name, mode in modes.items():
        assert stat.S_IMODE(target.stat(name).st_mode) == mode
        assert stat.S_IMODE(target.stat("d" + name).st_mode) == mode
        assert stat.S_IMODE(target.stat("own" + name).st_mode) == mode
        assert (target.stat(name).st_uid, target.stat(name).st_gid) == (1000, 2000)
        assert target.stat("d" + name).st_gid == 7
    assert stat.S_IMODE(target.stat("fifo").st_mode) == 0o666


def test_a_set_group_directory_hands_down_no_group(target: Target) -> None:
    target.unpack(info("mail", tarfile.DIRTYPE, mode=0o2775, gid=8), ("mail/box", b""), info("mail/d", tarfile.DIRTYPE))
    assert target.stat("mail/box").st_gid == 0
    assert target.stat("mail/d").st_gid == 0
    assert stat.S_IMODE(target.stat("mail/d").st_mode) == 0o755


def test_a_target_with_a_group_or_an_access_list_to_hand_down_changes_nothing(target: Target) -> None:
    os.chown(target.path, 0, 12)
    target.path.chmod(0o2755)
    target.unpack(("file", b""), ("dir/", b""))
    assert (target.stat("file").st_gid, target.stat("dir").st_gid) == (0, 0)


def test_times_are_exact_also_of_directories_that_were_filled_later(target: Target) -> None:
    target.unpack(
        info("dir", tarfile.DIRTYPE, mtime=1000),
        info("dir/file", pax_headers={"mtime": "1234567890.123456789"}),
        info("dir/old", pax_headers={"mtime": "-1.5"}),
        info("dir/link", tarfile.SYMTYPE, linkname="x", mtime=2000),
        info("dir/fifo", tarfile.FIFOTYPE, mtime=3000),
        info("./", tarfile.DIRTYPE, mtime=4000, mode=0o711),
    )
    assert target.stat("dir").st_mtime == 1000
    assert target.stat("dir/file").st_mtime_ns == 1234567890_123456789
    assert target.stat("dir/old").st_mtime_ns == -1_500_000_000
    assert target.stat("dir/link").st_mtime == 2000
    assert target.stat("dir/fifo").st_mtime == 3000
    assert target.stat(".").st_mtime == 4000
    assert stat.S_IMODE(target.stat(".").st_mode) == 0o711


def test_large_owners_and_long_names_are_kept(target: Target) -> None:
    name = "/".join(["d" * 200] * 10) + "/" + "ü" * 100
    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        target.unpack(tar_of(info(name, uid=(1 << 31) + 5, gid=(1 << 32) - 2), format=format))
        assert target.stat(name).st_uid == (1 << 31) + 5
        assert target.stat(name).st_gid == (1 << 32) - 2
        os.unlink(target.path / name)


def test_attributes_are_set_after_what_takes_them_away(target: Target) -> None:
    headers = {
        "SCHILY.xattr.security.capability": CAPABILITY.decode("latin-1"),
        "SCHILY.xattr.user.note": "hello",
    }
    target.unpack(info("ping", uid=5, size=10, mode=0o755, pax_headers=headers))
    assert os.getxattr(target.path / "ping", "security.capability") == CAPABILITY
    assert os.getxattr(target.path / "ping", "user.note") == b"hello"


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.DIRTYPE])
def test_an_image_can_not_steer_overlayfs_or_label_files(target: Target, kind: bytes) -> None:
    headers = {
        f"SCHILY.xattr.{name}": "y"
        for name in (
            "trusted.overlay.redirect",
            "trusted.overlay.opaque",
            "user.overlay.opaque",
            "trusted.overlay.metacopy",
            "security.selinux",
            "security.ima",
        )
    }
    target.unpack(info("x", kind, pax_headers=headers))
    assert not [name for name in os.listxattr(target.path / "x") if "overlay" in name or "security" in name]


def test_attributes_that_the_file_system_does_not_have_are_left_out(target: Target) -> None:
    headers = {"SCHILY.xattr.nonsense.name": "y", "SCHILY.xattr.user.on-a-link": "y"}
    target.unpack(info("f", pax_headers=headers), info("l", tarfile.SYMTYPE, linkname="f", pax_headers=headers))
    assert os.readlink(target.path / "l") == "f"


def test_sparse_files_stay_sparse(target: Target, tmp_path_factory: pytest.TempPathFactory) -> None:
    source = tmp_path_factory.mktemp("source")
    with (source / "sparse").open("wb") as stream:
        stream.seek(50 << 20)
        stream.write(b"end" * 1000)
        stream.truncate(100 << 20)
    command = ["tar", "-S", "--format=posix", "-C", source, "-cf", "-", "sparse"]
    layer = subprocess.run(command, check=True, capture_output=True).stdout
    target.unpack(layer)
    assert (target.path / "sparse").read_bytes() == (source / "sparse").read_bytes()
    assert target.stat("sparse").st_blocks * 512 < 1 << 20


def test_a_large_file_is_streamed(target: Target) -> None:
    data = os.urandom(1 << 20) * 5 + b"tail"
    target.unpack(("big", data), ("after", b"x"))
    assert target.describe() == {"big": data, "after": b"x"}


def test_the_diff_id_is_of_the_plain_bytes_to_their_very_end(target: Target) -> None:
    layer = tar_of(("a", b"x"))[:2048] + bytes(5 << 20)
    expected = "sha256:" + hashlib.sha256(layer).hexdigest()
    for data in (layer, gzip.compress(layer), zstandard.compress(layer)):
        assert unpack(io.BytesIO(data), target.fd, whiteouts="apply").diff_id == expected


def test_more_directories_than_file_descriptors(target: Target) -> None:
    names = [f"d{number % 700}/e{number}/" for number in range(2100)]
    target.unpack(*((name, b"") for name in names), *((name + "f", b"x") for name in reversed(names)))
    assert len(target.describe()) == 700 + 2100 * 2


def test_a_very_deep_tree_is_unpacked_and_replaced(target: Target) -> None:
    deep = "d/" * 1500
    target.unpack((deep, b""), (deep + "f", b"x"), ("d", b"now a file"))
    assert target.describe() == {"d": b"now a file"}


def test_a_path_longer_than_the_kernel_takes_is_unpacked_packed_and_replaced(target: Target) -> None:
    deep = "directory/" * 500
    layer = tar_of((deep, b""), (deep + "file", b"x"), info(deep + "hard", tarfile.LNKTYPE, linkname=deep + "file"))
    target.unpack(layer)
    out = io.BytesIO()
    pack(target.fd, out, whiteouts="none")
    with tarfile.open(fileobj=io.BytesIO(out.getvalue())) as packed:
        names = packed.getnames()
    assert names[-2:] == [deep + "file", deep + "hard"]
    target.unpack(("directory", b"now a file"))
    assert target.describe() == {"directory": b"now a file"}


def test_a_link_deeper_than_the_kernel_can_follow_is_refused(target: Target) -> None:
    deep = "directory/" * 450
    with pytest.raises(InvalidArgument, match="too deep to follow"):
        target.unpack(info(deep + "link", tarfile.SYMTYPE, linkname="."), (deep + "link/file", b""))


def test_what_is_not_a_tar_is_not_a_layer(target: Target) -> None:
    with pytest.raises(InvalidArgument, match="not a layer"):
        unpack(io.BytesIO(b""), target.fd, media_type="application/vnd.in-toto+json")


def test_an_empty_layer_is_empty(target: Target) -> None:
    assert target.unpack(bytes(1024)).entries == 0
    assert target.unpack(b"").diff_id == "sha256:" + hashlib.sha256(b"").hexdigest()


class TestDuplicates:
    def test_a_later_file_replaces_an_earlier_one(self, target: Target) -> None:
        target.unpack(("a", b"one"), ("a", b"two"))
        assert target.describe() == {"a": b"two"}

    def test_a_file_replaces_a_directory_with_all_in_it(self, target: Target) -> None:
        target.unpack(("a/", b""), ("a/b/", b""), ("a/b/c", b"x"), ("a", b"file"))
        assert target.describe() == {"a": b"file"}

    def test_a_directory_replaces_a_link_and_what_follows_goes_into_it(self, target: Target) -> None:
        target.unpack(("b/", b""), info("a", tarfile.SYMTYPE, linkname="b"), ("a/", b""), ("a/f", b"x"))
        assert target.describe() == {"a": "directory", "a/f": b"x", "b": "directory"}

    def test_a_link_replaces_a_directory_and_what_follows_goes_where_it_leads(self, target: Target) -> None:
        target.unpack(
            ("b/", b""), ("a/", b""), ("a/old", b""), info("a", tarfile.SYMTYPE, linkname="b"), ("a/new", b"x")
        )
        assert target.describe() == {"a": "-> b", "b": "directory", "b/new": b"x"}

    def test_directories_merge_and_the_later_attributes_win(self, target: Target) -> None:
        target.unpack(
            info("a", tarfile.DIRTYPE, mode=0o700), ("a/f", b"x"), info("a", tarfile.DIRTYPE, mode=0o750, mtime=5)
        )
        assert target.describe() == {"a": "directory", "a/f": b"x"}
        assert stat.S_IMODE(target.stat("a").st_mode) == 0o750
        assert target.stat("a").st_mtime == 5

    def test_a_file_under_another_name_keeps_its_content_when_a_link_to_it_is_replaced(self, target: Target) -> None:
        target.unpack(("a", b"one"), info("b", tarfile.LNKTYPE, linkname="a"), ("b", b"two"))
        assert target.describe() == {"a": b"one", "b": b"two"}

    def test_a_hard_link_to_itself_is_the_file(self, target: Target) -> None:
        target.unpack(("a", b"one"), info("./a", tarfile.LNKTYPE, linkname="a"))
        assert target.describe() == {"a": b"one"}

    def test_devices_and_links_replace_and_are_replaced(self, target: Target) -> None:
        target.unpack(
            info("a", tarfile.FIFOTYPE),
            info("a", tarfile.SYMTYPE, linkname="x"),
            info("a", tarfile.CHRTYPE, devmajor=1, devminor=3),
            ("a", b"file"),
        )
        assert target.describe() == {"a": b"file"}


def test_no_file_is_opened_that_existed_before(target: Target, tmp_path: Path) -> None:
    (target.path / "link").symlink_to("../outside")
    (target.path / "hard").hardlink_to(tmp_path / "outside")
    target.unpack(tar_of(("link", b"overwritten"), ("hard", b"overwritten")), whiteouts="apply")
    assert target.describe() == {"link": b"overwritten", "hard": b"overwritten"}


def test_in_a_user_namespace_devices_are_left_out_and_whiteouts_are_kept(target: Target) -> None:
    layer = tar_of(
        info("null", tarfile.CHRTYPE, devmajor=1, devminor=3),
        info("readonly", tarfile.DIRTYPE, mode=0o555),
        ("readonly/f", b"x"),
        ("readonly/.wh..wh..opq", b""),
        (".wh.gone", b""),
        info("x", pax_headers={"SCHILY.xattr.trusted.x": "not ours to set"}),
    )
    program = (
        "import io, os, sys; from jubako.image.layer import unpack;"
        "fd = os.open(sys.argv[1], os.O_RDONLY);"
        "print(unpack(sys.stdin.buffer, fd, xattr_prefix='user.').entries)"
    )
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", program, target.path]
    done = subprocess.run(
        command, input=layer, capture_output=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert done.stdout == b"6\n", done.stderr.decode()
    assert target.describe() == {
        "readonly": "directory",
        "readonly/f": b"x",
        "gone": "whiteout",
        "x": b"",
    }
    assert os.getxattr(target.path / "readonly", "user.overlay.opaque") == b"y"
