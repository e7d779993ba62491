"""Entries of an archive become files beneath a directory fd.

Model:      files, links and devices are made at once; directories get their mode, owner, times and attributes at the
            end, deepest first, since filling them would change those or be prevented by them.
Duplicates: a later entry replaces an earlier one, as in Docker; only a directory over a directory merges.
Safety:     see tree.py. Nothing is opened that existed before, except directories; links are never followed at the
            last component. Others may change an existing tree meanwhile: everything holds by fd.
Speed:      per small file openat, write, utimensat, close; fchmod and fchown only where they change something.
"""

from __future__ import annotations

import errno
import os
import stat

from jubako.errors import DataLoss, InvalidArgument
from jubako.image.layer.attributes import Attributes, owner_of
from jubako.image.layer.directories import Directories
from jubako.image.layer.failure import meaning
from jubako.image.layer.tar.entry import BLOCK, CHAR, DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK, Entry
from jubako.image.layer.tar.reader import Reader
from jubako.image.layer.tree import Tree, clean, show
from jubako.store.removal import remove_at

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_DEVICE_TYPES = {CHAR: stat.S_IFCHR, BLOCK: stat.S_IFBLK, FIFO: stat.S_IFIFO}
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Extractor:
    """Extracts what `reader` has into `tree`. Subclasses say what else a name can mean, in special()."""

    special_prefix = b"\0"
    """Names that begin so go to special(); no real name begins with a NUL."""

    def __init__(self, reader: Reader, tree: Tree, attributes: Attributes) -> None:
        self._reader = reader
        self._tree = tree
        self._attributes = attributes
        self._directories = Directories()
        self.entries = 0
        self.size_bytes = 0

    def run(self) -> None:
        """Extract everything. What was made stays when this raises: the caller discards the tree."""
        name = b"/"
        try:
            while (entry := self._reader.next()) is not None:
                name = entry.name
                self.entries += 1
                self._extract(entry)
            self._dress_directories()
        except OSError as error:
            raise meaning(error, "extract", name) from error

    def _extract(self, entry: Entry) -> None:
        parent, _, base = entry.name.rpartition(b"/")
        # The usual case, without a call: the parent is known. "./usr/bin" is "usr/bin".
        parent_fd = self._tree.fds.get(parent[2:] if parent.startswith(b"./") else parent)
        if parent_fd is None or base in (b"", b".", b".."):
            parent_fd, base, _ = self._tree.place(entry.name)
            if self._tree.implied:
                self._imply(entry)
        if base.startswith(self.special_prefix):
            self.special(entry, parent_fd, base)
        elif entry.kind == FILE:
            self._file(entry, parent_fd, base)
        elif entry.kind == DIRECTORY:
            self._directory(entry, parent_fd, base)
        elif base:
            self._other(entry, parent_fd, base)

    def special(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        """Deal with a name that begins with special_prefix."""

    def _imply(self, entry: Entry) -> None:
        """Directories that the archive has only by their content are as old as that: each unpacking is the same."""
        for path in self._tree.implied:
            self._directories.add(path, Entry(path, DIRECTORY, 0o755, mtime_ns=entry.mtime_ns))
        self._tree.implied.clear()

    def make_room(self, entry: Entry, existing: os.stat_result) -> int:
        """Remove what `entry` replaces; return the fd of its parent, which may have changed."""
        parent_fd, base, path = self._tree.place(entry.name)
        remove_at(parent_fd, os.fsdecode(base))
        if stat.S_ISDIR(existing.st_mode) or stat.S_ISLNK(existing.st_mode):
            self._forget(path)
            parent_fd, _, _ = self._tree.place(entry.name)
        return parent_fd

    def replaced(self, parent_fd: int, base: bytes, existing: os.stat_result) -> None:
        """The directory `base` took the place of something else."""

    def _forget(self, path: bytes) -> None:
        """What was known of `path` and beneath it holds no longer."""
        self._tree.forget()
        self._directories.replaced(path)

    def _file(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        attributes = self._attributes
        mode = entry.mode
        if not base:
            raise InvalidArgument(f"the archive entry {show(entry.name)} would put a file in place of the root")
        try:
            fd = os.open(base, _CREATE, mode & 0o777, dir_fd=parent_fd)
        except FileExistsError:
            parent_fd = self.make_room(entry, os.lstat(base, dir_fd=parent_fd))
            fd = os.open(base, _CREATE, mode & 0o777, dir_fd=parent_fd)
        try:
            self._fill(fd, entry)
            if (entry.uid, entry.gid) != attributes.own:
                os.fchown(fd, *owner_of(entry))
            if mode & attributes.inexact:
                os.fchmod(fd, mode)
            if entry.xattrs:
                attributes.set_xattrs(fd, entry)
            os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
        finally:
            os.close(fd)

    def _fill(self, fd: int, entry: Entry) -> None:
        self.size_bytes += entry.size
        if entry.regions is not None:
            self._fill_sparse(fd, entry)
            return
        data = self._reader.whole()
        if data is None:
            for piece in self._reader.data():
                _write(fd, piece)
        elif data:
            _write(fd, data)

    def _fill_sparse(self, fd: int, entry: Entry) -> None:
        os.ftruncate(fd, entry.real_size)
        regions = iter(entry.regions or ())
        position = left = 0
        for piece in self._reader.data():
            while piece:
                while not left:
                    position, left = next(regions)
                count = os.pwrite(fd, piece[:left], position)
                position, left, piece = position + count, left - count, piece[count:]

    def _directory(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        if base:
            try:
                os.mkdir(base, entry.mode & 0o777 | 0o700, dir_fd=parent_fd)
            except FileExistsError:
                self._merge_directory(entry, parent_fd, base)
        self._directories.add(clean(entry.name), entry)

    def _merge_directory(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        existing = os.lstat(base, dir_fd=parent_fd)
        if not stat.S_ISDIR(existing.st_mode):
            parent_fd = self.make_room(entry, existing)
            os.mkdir(base, entry.mode & 0o777 | 0o700, dir_fd=parent_fd)
            self.replaced(parent_fd, base, existing)

    def _dress_directories(self) -> None:
        for path, entry in self._directories.deepest_first():
            parent_fd, base, _ = self._tree.place(path)
            try:
                fd = os.open(base or b".", _OPEN_DIRECTORY, dir_fd=parent_fd)
            except OSError as error:
                # Replaced under another name, through a link.
                if error.errno not in _GONE:
                    raise
                continue
            try:
                self._attributes.dress_directory(fd, entry)
            finally:
                os.close(fd)

    def _other(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        if entry.kind not in _MAKERS:
            # Volume labels, multi-volume parts and the like: no file, as in GNU tar.
            return
        make = _MAKERS[entry.kind]
        try:
            make(self, entry, parent_fd, base)
        except FileExistsError:
            parent_fd = self.make_room(entry, os.lstat(base, dir_fd=parent_fd))
            make(self, entry, parent_fd, base)

    def _symlink(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        if not entry.link:
            raise DataLoss(f"the archive is corrupt: the link {show(entry.name)} has no target")
        os.symlink(entry.link, base, dir_fd=parent_fd)
        self._attributes.finish(parent_fd, base, entry)

    def _hardlink(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        # Finding the target's parent may push ours out of the cache: hold it.
        held = os.dup(parent_fd)
        try:
            source_fd, source, _ = self._tree.place(entry.link)
            if not source:
                raise InvalidArgument(f"the archive entry {show(entry.name)} is a hard link to the root")
            if source != base or not os.path.sameopenfile(source_fd, held):
                os.link(source, base, src_dir_fd=source_fd, dst_dir_fd=held, follow_symlinks=False)
        except FileNotFoundError:
            name, target = show(entry.name), show(entry.link)
            raise DataLoss(f"the archive is corrupt: {name} links to {target}, which is not there") from None
        finally:
            os.close(held)

    def _device(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        kind = _DEVICE_TYPES[entry.kind]
        try:
            os.mknod(base, kind | entry.mode & 0o777, os.makedev(*entry.device), dir_fd=parent_fd)
        except PermissionError:
            # In a user namespace nobody makes devices; runtimes bind those that a container gets. As Docker.
            if kind == stat.S_IFIFO:
                raise
            return
        except OverflowError:
            raise DataLoss(f"the archive is corrupt: {show(entry.name)} has an impossible device number") from None
        self._attributes.finish(parent_fd, base, entry)


class CopyExtractor(Extractor):
    """Extracts over a tree that is in use, perhaps under another owner."""

    def __init__(
        self, reader: Reader, tree: Tree, attributes: Attributes, *, owner: tuple[int, int] | None, keep_kinds: bool
    ) -> None:
        super().__init__(reader, tree, attributes)
        self._owner = owner
        self._keep_kinds = keep_kinds

    def _directory(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        # The content goes into a directory that is there, and that stays as it is: moby, pkg/archive, "Unpack".
        if base:
            super()._directory(entry, parent_fd, base)

    def _imply(self, entry: Entry) -> None:
        # They belong to who extracts, now.
        self._tree.implied.clear()

    def _extract(self, entry: Entry) -> None:
        if self._owner:
            entry.uid, entry.gid = self._owner
        super()._extract(entry)

    def make_room(self, entry: Entry, existing: os.stat_result) -> int:
        old, new = stat.S_ISDIR(existing.st_mode), entry.kind == DIRECTORY
        if self._keep_kinds and old != new:
            kinds = ("directory", "non-directory") if old else ("non-directory", "directory")
            raise InvalidArgument(f"cannot overwrite {kinds[0]} {show(entry.name.rstrip(b'/'))} with {kinds[1]}")
        return super().make_room(entry, existing)


def _write(fd: int, data: memoryview) -> None:
    done = os.write(fd, data)
    while done < len(data):
        done += os.write(fd, data[done:])


_MAKERS = {
    SYMLINK: Extractor._symlink,
    HARDLINK: Extractor._hardlink,
    CHAR: Extractor._device,
    BLOCK: Extractor._device,
    FIFO: Extractor._device,
}
