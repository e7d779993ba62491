"""Random trees survive the way into a layer and out again; random layers stay inside their root."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jubako.errors import JubakoError
from jubako.image.layer import Limits, pack, unpack

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]

slow = settings(max_examples=60)
component = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda text: text not in (".", "..") and not text.startswith(".wh.") and len(text.encode()) < 250
)
leaf = st.one_of(
    st.tuples(st.just("file"), st.binary(max_size=200)),
    st.tuples(st.just("link"), st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=30)),
    st.tuples(st.just("hard"), st.none()),
    st.tuples(st.just("fifo"), st.none()),
)
tree = st.recursive(
    st.dictionaries(component, leaf, max_size=4), lambda inner: st.dictionaries(component, leaf | inner, max_size=4)
)
attributes = st.tuples(
    st.integers(0, 0o7777), st.integers(0, 1 << 31), st.integers(0, 1 << 31), st.integers(0, 1 << 33)
)


def build(root: Path, content: dict[str, object], draw: st.DataObject) -> None:
    files: list[Path] = []
    _fill(root, content, files)
    for path in sorted(root.rglob("*"), reverse=True):
        mode, uid, gid, mtime = draw.draw(attributes)
        os.chown(path, uid, gid, follow_symlinks=False)
        if not path.is_symlink():
            path.chmod(mode)
        os.utime(path, (mtime, mtime), follow_symlinks=False)


def _fill(directory: Path, content: dict[str, object], files: list[Path]) -> None:
    for name, what in content.items():
        path = directory / name
        if isinstance(what, dict):
            path.mkdir()
            _fill(path, what, files)
            continue
        assert isinstance(what, tuple)
        kind, value = what
        if kind == "link":
            path.symlink_to(value)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "hard" and files:
            path.hardlink_to(files[-1])
        else:
            path.write_bytes(value or b"")
            files.append(path)


def describe(root: Path) -> dict[str, tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    inodes: dict[int, str] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content: object = None
        if stat.S_ISREG(status.st_mode):
            content = (path.read_bytes(), inodes.setdefault(status.st_ino, str(path.relative_to(root))))
        elif stat.S_ISLNK(status.st_mode):
            content = os.readlink(path)
        found[str(path.relative_to(root))] = (
            status.st_mode, status.st_uid, status.st_gid, int(status.st_mtime), content
        )  # fmt: skip
    return found


@slow
@given(tree, st.data())
def test_a_tree_survives_packing_and_unpacking(content: dict[str, object], draw: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as base:
        source, target = Path(base, "source"), Path(base, "target")
        source.mkdir()
        target.mkdir()
        build(source, content, draw)
        source_fd, target_fd = os.open(source, os.O_RDONLY), os.open(target, os.O_RDONLY)
        try:
            out = io.BytesIO()
            packed = pack(source_fd, out)
            unpacked = unpack(io.BytesIO(out.getvalue()), target_fd)
            assert (unpacked.diff_id, unpacked.entries) == (packed.diff_id, packed.entries)
            assert describe(target) == describe(source)
            again = io.BytesIO()
            assert pack(target_fd, again).diff_id == packed.diff_id
        finally:
            os.close(source_fd)
            os.close(target_fd)


hostile_parts = st.sampled_from(["a", "b", "c", "..", ".", "", ".wh.a", ".wh..wh..opq", ".wh...", "l", "outside"])
hostile_name = st.lists(hostile_parts, min_size=1, max_size=4).map("/".join)
KINDS = [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]


@settings(max_examples=300)
@given(
    st.lists(st.tuples(hostile_name, st.sampled_from(KINDS), hostile_name, st.booleans()), max_size=12),
    st.sampled_from(["overlay", "apply"]),
)
def test_no_layer_reaches_out_of_its_root(members: list[tuple[str, bytes, str, bool]], whiteouts: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        outside, root = Path(base, "outside"), Path(base, "root")
        outside.write_bytes(b"untouched")
        root.mkdir()
        before = (outside.stat().st_nlink, outside.stat().st_mtime_ns, outside.stat().st_mode)
        fd = os.open(root, os.O_RDONLY)
        try:
            unpack(
                io.BytesIO(_archive(members)),
                fd,
                whiteouts=whiteouts,  # type: ignore[arg-type]
                limits=Limits(entries=1000),
            )
        except JubakoError:
            pass
        finally:
            os.close(fd)
        assert outside.read_bytes() == b"untouched"
        assert (outside.stat().st_nlink, outside.stat().st_mtime_ns, outside.stat().st_mode) == before
        assert sorted(os.listdir(base)) == ["outside", "root"]


def _archive(members: list[tuple[str, bytes, str, bool]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind, link, absolute in members:
            member = tarfile.TarInfo(name)
            member.name = "/" * absolute + name
            member.type, member.linkname = kind, "/" * absolute + link
            member.devmajor, member.devminor = 1, 3
            member.mode = 0o777
            archive.addfile(member)
    return out.getvalue()
