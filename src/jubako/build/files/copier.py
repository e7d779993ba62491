"""Copy selected files into a root, as COPY does.

Model:    a source directory gives its content, a source file itself. The destination's symbolic links are followed
          inside the root; beneath it nothing is: a file replaces whatever stands there that is no directory, and a
          directory meets only directories. The destination and its parents are made 0755 for the new owner; of a source
          directory only the content counts, not what the directory itself looks like.
Safety:   everything happens by directory fd beneath the root.
"""

from __future__ import annotations

import os
import posixpath
import stat

from jubako.build.files.clone import Style, Where, clone, dress
from jubako.build.files.directories import Directories
from jubako.build.files.selection import Selected
from jubako.build.files.tree import Entry, real_path
from jubako.errors import InvalidArgument
from jubako.linux.openat2 import mkdirs_in_root, open_in_root


class Copier:
    """Copies into the tree beneath `root_fd`, which stays the caller's."""

    def __init__(self, root_fd: int, style: Style) -> None:
        self.root_fd = root_fd
        self.style = style

    def check(self, selected: list[Selected], destination: str) -> None:
        """Several files need a directory to go to. Raises InvalidArgument."""
        if len(selected) < 2 or destination.endswith("/") or all(item.is_directory for item in selected):
            return
        existing = _status(self.root_fd, real_path(self.root_fd, destination))
        if existing is None or not stat.S_ISDIR(existing.st_mode):
            raise InvalidArgument(
                "with more than one source file, the destination must be a directory and end with a /"
            )

    def copy(self, item: Selected, destination: str) -> None:
        """Copy into `destination`, which is a directory when it ends with a slash. Raises InvalidArgument."""
        target = real_path(self.root_fd, destination)
        existing = _status(self.root_fd, target)
        is_directory = existing is not None and stat.S_ISDIR(existing.st_mode)
        if existing is not None and not is_directory and (item.is_directory or destination.endswith("/")):
            raise InvalidArgument(f"cannot copy to non-directory: {destination}")
        if not item.is_directory and (is_directory or destination.endswith("/")):
            target = posixpath.join(target, item.name)
        parent = target if item.is_directory else posixpath.dirname(target)
        os.close(mkdirs_in_root(self.root_fd, parent, 0o755, owner=self.style.owner or (0, 0)))
        copy = _TreeCopy(item, self.root_fd, target, self.style)
        try:
            copy.run()
        finally:
            copy.close()


class _TreeCopy:
    """One source with all beneath it, to `target`."""

    def __init__(self, item: Selected, root_fd: int, target: str, style: Style) -> None:
        self._item = item
        self._target = target
        self._style = style
        self._from = Directories(item.tree.root_fd)
        self._to = Directories(root_fd)
        self._links: dict[tuple[int, int], str] = {}

    def close(self) -> None:
        self._from.close()
        self._to.close()

    def run(self) -> None:
        directories: list[tuple[str, Entry]] = []
        for entry in self._item.walk():
            path = posixpath.join(self._target, entry.name) if entry.name else self._target
            if not stat.S_ISDIR(entry.status.st_mode):
                self._file(entry, path)
            elif entry.name:
                self._make_directory(path)
                directories.append((path, entry))
        # Filling a directory moves its time, and its mode may forbid filling it: they come last, children first.
        for path, entry in reversed(directories):
            dress(self._source(entry), entry.status, self._place(path), self._style)

    def _make_directory(self, path: str) -> None:
        parent, name = self._place(path)
        try:
            os.mkdir(name, 0o755, dir_fd=parent)
        except FileExistsError:
            if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
                raise InvalidArgument(f"cannot copy a directory over /{path}, which is not a directory") from None

    def _file(self, entry: Entry, path: str) -> None:
        if stat.S_ISSOCK(entry.status.st_mode):
            return
        first = self._linked(entry, path)
        try:
            self._make(entry, path, first)
        except FileExistsError:
            _clear(self._place(path), path)
            self._make(entry, path, first)

    def _make(self, entry: Entry, path: str, first: str | None) -> None:
        if first is None:
            clone(self._source(entry), entry.status, self._place(path), self._style)
            return
        # Two directories are used at once, and the second may push the first out of the cache.
        parent, name = posixpath.split(first)
        fd = os.dup(self._to.fd(parent))
        try:
            there, target = self._place(path)
            os.link(name, target, src_dir_fd=fd, dst_dir_fd=there, follow_symlinks=False)
        finally:
            os.close(fd)

    def _linked(self, entry: Entry, path: str) -> str | None:
        """Where an earlier name of the same file went; None for the first."""
        if entry.status.st_nlink < 2 or not stat.S_ISREG(entry.status.st_mode):
            return None
        first = self._links.setdefault((entry.status.st_dev, entry.status.st_ino), path)
        return None if first == path else first

    def _source(self, entry: Entry) -> Where:
        directory, name = posixpath.split(entry.path)
        return self._from.fd(directory), name

    def _place(self, path: str) -> Where:
        directory, name = posixpath.split(path)
        return self._to.fd(directory), name


def _status(root_fd: int, path: str) -> os.stat_result | None:
    try:
        fd = open_in_root(root_fd, path, os.O_PATH | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        raise InvalidArgument(f"cannot copy to /{path}: a part of the path is not a directory") from None
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)


def _clear(where: Where, path: str) -> None:
    """Take away what a file replaces."""
    try:
        os.unlink(where[1], dir_fd=where[0])
    except IsADirectoryError:
        raise InvalidArgument(f"cannot overwrite directory /{path} with a file") from None
