"""Loss of power, played through: what a program did to its files is recorded, and replayed to what may be left of it.

Recording: strace, with all data; a line that the program writes to stdout is a moment at which it promised something.
Model:     a file is its bytes as of its last fsync, and the writes since; a directory its names as of its last fsync,
           and the changes since. What was not synced may be lost, alone or with other things, or not: the variants.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CALLS = (
    "openat,openat2,open,creat,mkdir,mkdirat,write,pwrite64,writev,ftruncate,truncate,fallocate,fsync,fdatasync,syncfs,"
    "sync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,rmdir,copy_file_range,sendfile,splice,sendto,sendmsg"
)
_LINE = re.compile(r"(?:(\d+) +)?(\w+)\((.*)\) += (-?\d+)(?:<(.*?)>)?(?: .*)?$")
_STARTED = re.compile(r"(\d+) +(\w+)\((.*?)(?:,? ?)<unfinished \.\.\.>$")
_ENDED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>(.*)$")
_HEX = r"((?:\\x[0-9a-f]{2})*)"
_FD = re.compile(rf"^(?:\d+|AT_FDCWD)<{_HEX}>")
_TEXTS = re.compile(rf'"{_HEX}"')
_DIR_AND_NAME = re.compile(rf'(?:(?:\d+|AT_FDCWD)<{_HEX}>, )?"{_HEX}"')
Op = tuple[str, tuple[str, ...], bytes, int]
"""What was done, to which paths, with which data, at which offset (or to which length)."""


def record(program: str, *arguments: str, log: Path) -> list[Op]:
    """All that a Python program does to files, in order; what it prints is an op `say`."""
    command = ["strace", "-f", "-y", "-xx", "-s", str(1 << 24), "-e", f"trace={CALLS}", "-o", str(log)]
    done = subprocess.run([*command, sys.executable, "-c", program, *arguments], capture_output=True, timeout=200)
    assert done.returncode == 0, done.stderr.decode()
    return list(parsed(log))


def parsed(log: Path) -> Iterator[Op]:
    started: dict[str, str] = {}
    for line in log.read_text("latin-1").splitlines():
        if match := _STARTED.match(line):
            started[match[1]] = match[3]
            continue
        if match := _ENDED.match(line):
            line = f"{match[1]} {match[2]}({started.pop(match[1])}{match[3]}"
        match = _LINE.match(line)
        if match and int(match[4]) >= 0:
            yield from _op(match[2], match[3], int(match[4]), _text(match[5] or ""))


def _op(call: str, text: str, result: int, opened: str) -> Iterator[Op]:
    fd = _FD.match(text)
    target = _text(fd[1]) if fd else ""
    match call:
        case "open" | "openat" | "openat2" | "creat":
            if "O_CREAT" in text or call == "creat":
                yield "create", (opened,), b"", 0
            if "O_TRUNC" in text or call == "creat":
                yield "resize", (opened,), b"", 0
        case "write" | "writev" | "sendto" | "sendmsg":
            data = b"".join(_bytes(found) for found in _TEXTS.findall(text))[:result]
            yield ("say" if text.startswith("1<") or call.startswith("send") else "append"), (target,), data, 0
        case "pwrite64":
            yield "write", (target,), _bytes(_TEXTS.findall(text)[0])[:result], int(text.rpartition(", ")[2])
        case "ftruncate":
            yield "resize", (target,), b"", int(text.rpartition(", ")[2])
        case "fallocate":
            *_, mode, start, length = text.split(", ")
            if mode == "0":
                yield "grow", (target,), b"", int(start) + int(length)
        case "fsync" | "fdatasync":
            yield "fsync", (target,), b"", 0
        case "sync" | "syncfs":
            yield "sync", (), b"", 0
        case "copy_file_range" | "sendfile" | "splice" | "truncate":
            raise AssertionError(f"not modelled: {call}({text[:200]}")
        case _:
            names = [os.path.join(_text(base), _text(name)) for base, name in _DIR_AND_NAME.findall(text)]
            paths = tuple(os.path.normpath(os.path.join(os.getcwd(), name)) for name in names)
            kind = {"mk": "mkdir", "re": "rename", "li": "link", "un": "unlink", "rm": "unlink"}[call[:2]]
            yield kind, paths, b"", 0


def _text(escaped: str) -> str:
    return os.fsdecode(_bytes(escaped)) if escaped.startswith("\\") else escaped


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


class Node:
    """A file or directory, as programs see it (`data`, `names`) and as the disk has it for sure (`safe_*`)."""

    def __init__(self, is_directory: bool) -> None:
        self.is_directory = is_directory
        self.data, self.safe_data = bytearray(), b""
        self.writes: list[tuple[int, bytes]] = []
        self.names: dict[str, Node] = {}
        self.safe_names: dict[str, Node] = {}
        self.changes: list[tuple[str, Node | None]] = []

    def sync(self) -> None:
        self.safe_data, self.safe_names = bytes(self.data), dict(self.names)
        self.writes, self.changes = [], []

    def set(self, name: str, node: Node | None) -> None:
        self.changes.append((name, node))
        if node is None:
            self.names.pop(name, None)
        else:
            self.names[name] = node

    def write(self, offset: int, data: bytes) -> None:
        self.writes.append((offset, data))
        _put(self.data, offset, data)

    def resize(self, size: int) -> None:
        # Nobody can say when a truncation reaches the disk; that it does at once is the worst.
        del self.data[size:]
        self.safe_data = self.safe_data[:size]
        self.data += bytes(size - len(self.data))


def _put(data: bytearray, offset: int, piece: bytes) -> None:
    data += bytes(max(0, offset - len(data)))
    data[offset : offset + len(piece)] = piece


class Disk:
    """The directory `root`, which did not exist before."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.top = Node(is_directory=True)
        self.nodes: list[Node] = [self.top]

    def apply(self, op: Op) -> None:
        kind, paths, data, number = op
        inside = [path for path in paths if path == str(self.root.parent) or path.startswith(f"{self.root.parent}/")]
        if kind == "sync":
            for node in self.nodes:
                node.sync()
        elif kind == "say" or not inside or inside[0].endswith(" (deleted)"):
            return
        elif kind in ("create", "mkdir"):
            self._make(inside[0], is_directory=kind == "mkdir")
        elif kind in ("link", "rename"):
            self._place(self._find(inside[0]), inside[1])
            if kind == "rename":
                self._place(None, inside[0])
        elif kind == "unlink":
            self._place(None, inside[0])
        elif node := self._find(inside[0]):
            self._change(node, kind, data, number)

    def _change(self, node: Node, kind: str, data: bytes, number: int) -> None:
        match kind:
            case "append":
                node.write(len(node.data), data)
            case "write":
                node.write(number, data)
            case "resize":
                node.resize(number)
            case "grow":
                node.resize(max(number, len(node.data)))
            case "fsync":
                node.sync()

    def _make(self, path: str, *, is_directory: bool) -> None:
        if self._find(path) is None:
            self.nodes.append(Node(is_directory))
            self._place(self.nodes[-1], path)

    def _find(self, path: str) -> Node | None:
        node: Node | None = self.top
        for name in Path(path).relative_to(self.root.parent).parts:
            node = node.names.get(name) if node else None
        return node

    def _place(self, node: Node | None, path: str) -> None:
        parent = self._find(os.path.dirname(path))
        assert parent is not None, path
        parent.set(os.path.basename(path), node)

    def left(self, target: Path, variant: str, seed: int = 0) -> None:
        """Write what a loss of power now may leave to `target`.

        "kept": everything, as when only the program is killed. "lost": only what was synced. "names": all names, but
        only synced bytes. "zeros": all names, all sizes, only synced bytes. "mixed": of each file some of its last
        writes, of each directory the first of its last changes.
        """
        _write(self.top, target, variant, random.Random(seed))


def _write(node: Node, path: Path, variant: str, chance: random.Random) -> None:
    path.mkdir(exist_ok=True)
    for name, child in _names(node, variant, chance).items():
        if child.is_directory:
            _write(child, path / name, variant, chance)
        else:
            (path / name).write_bytes(_content(child, variant, chance))


def _names(node: Node, variant: str, chance: random.Random) -> dict[str, Node]:
    if variant in ("kept", "names", "zeros"):
        return node.names
    names = dict(node.safe_names)
    for name, child in node.changes[: chance.randint(0, len(node.changes)) if variant == "mixed" else 0]:
        if child is None:
            names.pop(name, None)
        else:
            names[name] = child
    return names


def _content(node: Node, variant: str, chance: random.Random) -> bytes:
    data = bytearray(node.data if variant == "kept" else node.safe_data)
    if variant == "zeros":
        data += bytes(max(0, len(node.data) - len(data)))
    if variant == "mixed":
        for offset, piece in node.writes:
            if chance.random() < 0.5:
                _put(data, offset, piece)
    return bytes(data)


VARIANTS = ("kept", "lost", "names", "zeros", "mixed")
