"""A tree with everything that layers can say, and what a tree is, path by path."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")
HUGE_UID, HUGE_GID = 3_000_000, 4_000_000_000


def make_portable(root: Path) -> Path:
    """What every archive format can hold: short names, small owners, whole seconds after 1970."""
    for name, mode in (("etc", 0o755), ("empty", 0o700), ("closed", 0o500), ("mail", 0o2775), ("tmp", 0o1777)):
        (root / name).mkdir(parents=True)
        (root / name).chmod(mode)
    files = {"etc/name": 0o644, "etc/suid": 0o4755, "etc/sgid": 0o2711, "etc/none": 0, "closed/kept": 0o400}
    for number, (name, mode) in enumerate(files.items()):
        (root / name).write_bytes(name.encode() * number * 700)
        os.chown(root / name, 1000 + number, 65534)
        (root / name).chmod(mode)
    (root / "large").write_bytes(os.urandom(1 << 20) * 3 + b"tail")
    (root / "etc/same").hardlink_to(root / "etc/name")
    (root / "link").symlink_to("etc/name")
    os.lchown(root / "link", 7, 8)
    (root / "dangling").symlink_to("/nowhere/../at all")
    os.mkfifo(root / "fifo", 0o666)
    os.mknod(root / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(root / "disk", stat.S_IFBLK | 0o660, os.makedev(259, 300))
    return _timed(root)


def make_rich(root: Path) -> Path:
    """As make_portable, and what needs PAX, or GNU's own extensions."""
    make_portable(root)
    deep = root / "/".join(["d" * 120] * 4)
    deep.mkdir(parents=True)
    (deep / ("f" * 255)).write_bytes(b"long")
    (deep / "again").hardlink_to(deep / ("f" * 255))
    (root / "long link").symlink_to("t/" * 150 + "end")
    for name in ("ünïcode ☃", "new\nline", " space ", "back\\slash", "-dash", "percent%41", "quote'\""):
        (root / name).write_bytes(name.encode())
    (root / os.fsdecode(b"latin-\xe9\xff")).write_bytes(b"latin")
    (root / "huge owner").touch()
    os.chown(root / "huge owner", HUGE_UID, HUGE_GID)
    _sparse(root / "sparse", 40)
    _sparse(root / "hole", 0)
    return _timed(root)


def add_fine_times(root: Path) -> Path:
    """Times that only PAX has."""
    for name, time_ns in (("etc/name", -1_500_000_000), ("large", 1_234_567_890_123_456_789), ("etc/none", 1 << 62)):
        os.utime(root / name, ns=(0, time_ns))
    return root


def add_xattrs(root: Path) -> Path:
    os.setxattr(root / "etc/suid", "security.capability", CAPABILITY)
    os.setxattr(root / "etc/name", "user.note", b"binary \0\n= \xff")
    os.setxattr(root / "mail", "user.on directory", b"x" * 1000)
    return root


def _sparse(path: Path, pieces: int) -> None:
    with path.open("wb") as stream:
        for number in range(pieces):
            stream.seek((2 * number + 1) << 16)
            stream.write(b"%d" % number * 900)
        stream.truncate((2 * pieces + 2) << 16)


def _timed(root: Path) -> Path:
    """Every path its own time; children before their directories."""
    for number, path in enumerate(sorted(root.rglob("*"), reverse=True)):
        os.utime(path, ns=(0, (1_000_000_000 + number) * 1_000_000_000), follow_symlinks=False)
    return root


class What(NamedTuple):
    """What one path is. `links` are the other names of the same file."""

    kind: str
    owner: tuple[int, int]
    mtime_ns: int
    content: str
    device: int
    links: tuple[str, ...]
    xattrs: dict[str, bytes]


def describe(root: Path) -> dict[str, What]:
    """Every path beneath `root`; not the root itself, which archives need not have."""
    inodes: dict[int, list[str]] = {}
    paths = sorted(Path(top, name) for top, below, files in os.walk(root) for name in below + files)
    for path in paths:
        inodes.setdefault(path.lstat().st_ino, []).append(str(path.relative_to(root)))
    return {str(path.relative_to(root)): _what(path, inodes) for path in paths}


def _what(path: Path, inodes: dict[int, list[str]]) -> What:
    status = path.lstat()
    content = ""
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(status.st_mode):
        content = f"{status.st_size} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    xattrs = {
        name: os.getxattr(path, name, follow_symlinks=False) for name in os.listxattr(path, follow_symlinks=False)
    }
    return What(
        stat.filemode(status.st_mode),
        (status.st_uid, status.st_gid),
        status.st_mtime_ns,
        content,
        status.st_rdev,
        tuple(inodes[status.st_ino]) if stat.S_ISREG(status.st_mode) else (),
        xattrs,
    )


def differences(ours: dict[str, What], theirs: dict[str, What]) -> list[str]:
    """One line for each path that is not the same."""
    return [
        f"{name!r}: ours {ours.get(name)}, theirs {theirs.get(name)}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
