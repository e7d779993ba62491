"""A tree of files to copy from: the build context, or the file system of a stage.

Names are resolved inside the tree's root (openat2, RESOLVE_IN_ROOT), so a symbolic link in it never leads out. Each
directory is read once; what is ignored is not seen, and an ignored directory is not even read unless a `!` rule may
match beneath it.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter

import msgspec

from jubako.build.files import pattern
from jubako.build.files.ignore import Ignore, Verdict
from jubako.linux.openat2 import open_in_root

_LINKS = 40
_NAME: Callable[[os.DirEntry[str]], str] = attrgetter("name")
_Child = tuple[str, str, os.stat_result, Verdict]
"""Of a directory: path in the tree, name, status, and whether it is left out."""


class Entry(msgspec.Struct, frozen=True):
    """One file: `path` in the tree, `name` relative to where a walk began ("" for that itself)."""

    path: str
    name: str
    status: os.stat_result


class Tree:
    """Not safe for several threads at once."""

    def __init__(self, root_fd: int, ignore: Ignore | None = None) -> None:
        self.root_fd = root_fd
        self._ignore = ignore or Ignore()
        self._listed: dict[str, list[_Child]] = {}

    def fresh(self) -> Tree:
        """The same tree, to be read anew."""
        return Tree(self.root_fd, self._ignore)

    def find(self, path: str) -> Entry | None:
        """The file at `path` (its last part not followed), or None when it is absent or ignored."""
        clean = clean_path(path)
        if clean == "":
            return Entry("", "", os.stat(self.root_fd))
        try:
            fd = open_in_root(self.root_fd, clean, os.O_PATH | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            status = os.fstat(fd)
        finally:
            os.close(fd)
        verdict = self._ignore.judge_whole(clean)
        if not verdict.ignored or (stat.S_ISDIR(status.st_mode) and self._shows_below(clean, verdict)):
            return Entry(clean, "", status)
        return None

    def ignores(self, path: str) -> bool:
        return self._ignore.judge_whole(clean_path(path)).ignored

    def glob(self, text: str, *, deep: bool = False) -> list[str]:
        """The paths that a pattern matches, in order; with `deep`, `**` is any number of directories. BadPattern."""
        found = [""]
        for part in clean_path(text).split("/"):
            if deep and part == "**":
                found = list(dict.fromkeys(path for base in found for path in self._directories(base)))
                continue
            if not pattern.has_wildcards(part):
                found = [posixpath.join(base, part) for base in found]
                continue
            expression = pattern.component(part)
            found = [
                posixpath.join(base, name) for base in found for name in self._names(base) if expression.fullmatch(name)
            ]
        return [path for path in found if self.find(path)]

    def real(self, path: str) -> str:
        """`path` with every symbolic link in it resolved inside the tree; what is missing is kept as written."""
        return real_path(self.root_fd, path)

    def walk(self, entry: Entry) -> Iterator[Entry]:
        """`entry` and all beneath it, parents first, in the order of names."""
        yield Entry(entry.path, "", entry.status)
        if stat.S_ISDIR(entry.status.st_mode):
            yield from self._walk(entry.path, "", self._ignore.judge_whole(entry.path))

    def open(self, path: str) -> int:
        """Open a regular file for reading; the caller closes the fd."""
        return open_in_root(self.root_fd, path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)

    def readlink(self, path: str) -> str:
        return read_link(self.root_fd, path)

    def _shows_below(self, path: str, verdict: Verdict) -> bool:
        return next(self._walk(path, "", verdict), None) is not None

    def _walk(self, path: str, name: str, verdict: Verdict) -> Iterator[Entry]:
        """All beneath `path`, named from `name` on. A loop: files pass through one generator however deep they lie."""
        levels = [(f"{name}/" if name else "", iter(self._children(path, verdict)))]
        while levels:
            beneath, children = levels[-1]
            for whole, child, status, judged in children:
                if not stat.S_ISDIR(status.st_mode):
                    yield Entry(whole, beneath + child, status)
                    continue
                # An ignored directory comes along only for the sake of something taken in beneath it.
                if judged.ignored and not self._shows_below(whole, judged):
                    continue
                yield Entry(whole, beneath + child, status)
                levels.append((f"{beneath}{child}/", iter(self._children(whole, judged))))
                break
            else:
                levels.pop()

    def _children(self, path: str, verdict: Verdict) -> list[_Child]:
        known = self._listed.get(path)
        if known is None:
            known = self._listed[path] = self._read(path, verdict)
        return known

    def _read(self, path: str, verdict: Verdict) -> list[_Child]:
        fd = open_in_root(self.root_fd, path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            with os.scandir(fd) as found:
                return self._judged(f"{path}/" if path else "", _in_order(found), verdict)
        finally:
            os.close(fd)

    def _judged(self, prefix: str, entries: Iterable[os.DirEntry[str]], verdict: Verdict) -> list[_Child]:
        """Those that are seen. It goes over every file of every context: nothing is called that need not be."""
        ignore = self._ignore
        if not ignore.has_rules:
            return [(prefix + entry.name, entry.name, entry.stat(follow_symlinks=False), verdict) for entry in entries]
        seen = []
        for entry in entries:
            path = prefix + entry.name
            judged = ignore.judge(path, verdict)
            if not judged.ignored or (entry.is_dir(follow_symlinks=False) and ignore.may_take_in_below(path)):
                seen.append((path, entry.name, entry.stat(follow_symlinks=False), judged))
        return seen

    def _directories(self, path: str) -> Iterator[str]:
        """`path` and the directories beneath it; links among them are not followed."""
        entry = self.find(path)
        if entry is not None:
            yield from (found.path for found in self.walk(entry) if stat.S_ISDIR(found.status.st_mode))

    def _names(self, path: str) -> list[str]:
        base = self.real(path)
        entry = self.find(base)
        if entry is None or not stat.S_ISDIR(entry.status.st_mode):
            return []
        return [name for _, name, _, _ in self._children(base, self._ignore.judge_whole(base))]


def _in_order(found: Iterable[os.DirEntry[str]]) -> list[os.DirEntry[str]]:
    """By the bytes of their names. Those are in the order of the characters where all are ASCII, and without a call."""
    entries = list(found)
    names = "".join(map(_NAME, entries))
    return sorted(entries, key=_NAME if names.isascii() else lambda entry: os.fsencode(entry.name))


def clean_path(path: str) -> str:
    """Relative to the root, without `.`, `..` and doubled slashes: nothing climbs above the root."""
    return posixpath.normpath("/" + path.lstrip("/")).lstrip("/")


def read_link(root_fd: int, path: str) -> str:
    """The target of the symbolic link at `path` inside the root."""
    fd = open_in_root(root_fd, path, os.O_PATH | os.O_NOFOLLOW)
    try:
        return os.readlink("", dir_fd=fd)
    finally:
        os.close(fd)


def real_path(root_fd: int, path: str) -> str:
    """`path` with every symbolic link in it resolved inside the root; what is missing is kept as written.

    The answer is a name, not a promise: it is opened within the root again.
    """
    pending = [part for part in reversed(path.split("/")) if part]
    done: list[str] = []
    links = 0
    while pending:
        part = pending.pop()
        if part in (".", ".."):
            done = done[:-1] if part == ".." else done
            continue
        target = _link_target(root_fd, "/".join([*done, part]))
        if target is None:
            done.append(part)
            continue
        links += 1
        if links > _LINKS:
            raise OSError(40, os.strerror(40), path)  # ELOOP
        pending += [piece for piece in reversed(target.split("/")) if piece]
        done = [] if target.startswith("/") else done
    return "/".join(done)


def _link_target(root_fd: int, path: str) -> str | None:
    try:
        return read_link(root_fd, path)
    except OSError:
        return None
