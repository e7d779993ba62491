"""What a layer deletes from those beneath it: names that begin with `.wh.`.

Two readings: kept in overlay's own form (a layer of its own), or applied to the tree that the layer is laid upon.
Either way a whiteout speaks of the layers beneath, never of what its own layer brings, in whatever order.
Spec: OCI image-spec, layer.md, "Whiteouts"; Linux, Documentation/filesystems/overlayfs.rst, "whiteouts and opaque
      directories".
"""

from __future__ import annotations

import os
import stat

from jubako.errors import InvalidArgument
from jubako.image.layer.attributes import Attributes
from jubako.image.layer.extractor import Extractor
from jubako.image.layer.tar.entry import Entry
from jubako.image.layer.tar.reader import Reader
from jubako.image.layer.tree import Tree, clean, show
from jubako.linux import xattr
from jubako.store.removal import remove_at

PREFIX = b".wh."
OPAQUE = b".wh..wh..opq"
_AUFS = b".wh..wh."


class OverlayExtractor(Extractor):
    """Whiteouts become 0:0 character devices, opaque directories get overlay's attribute."""

    special_prefix = PREFIX

    def __init__(self, reader: Reader, tree: Tree, attributes: Attributes, xattr_prefix: str) -> None:
        super().__init__(reader, tree, attributes)
        self._opaque = f"{xattr_prefix}overlay.opaque"

    def special(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        if base == OPAQUE:
            xattr.set_xattr(parent_fd, "", self._opaque, b"y")
        elif not base.startswith(_AUFS):
            self._whiteout(entry, parent_fd, target_of(entry, base))

    def _whiteout(self, entry: Entry, parent_fd: int, target: bytes) -> None:
        try:
            os.mknod(target, stat.S_IFCHR, 0, dir_fd=parent_fd)
            # Nobody sees it, but what is packed again is then the same.
            os.utime(target, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent_fd, follow_symlinks=False)
        except FileExistsError:
            # The layer brings the name itself. A directory must not merge with the one beneath; a file hides it anyway.
            if stat.S_ISDIR(os.lstat(target, dir_fd=parent_fd).st_mode):
                xattr.set_xattr(parent_fd, os.fsdecode(target), self._opaque, b"y")

    def replaced(self, parent_fd: int, base: bytes, existing: os.stat_result) -> None:
        if stat.S_ISCHR(existing.st_mode) and existing.st_rdev == 0:
            xattr.set_xattr(parent_fd, os.fsdecode(base), self._opaque, b"y")


class ApplyingExtractor(Extractor):
    """Whiteouts delete what the tree has, except what this layer brought."""

    special_prefix = PREFIX

    def __init__(self, reader: Reader, tree: Tree, attributes: Attributes) -> None:
        super().__init__(reader, tree, attributes)
        self._brought: set[bytes] = set()
        self._emptied: set[tuple[int, int]] = set()

    def _extract(self, entry: Entry) -> None:
        super()._extract(entry)
        path = clean(entry.name)
        if not path.rpartition(b"/")[2].startswith(PREFIX):
            while path and path not in self._brought:
                self._brought.add(path)
                path = path.rpartition(b"/")[0]

    def special(self, entry: Entry, parent_fd: int, base: bytes) -> None:
        directory = clean(entry.name).rpartition(b"/")[0]
        if base == OPAQUE:
            self._delete_beneath(directory, parent_fd)
        elif not base.startswith(_AUFS):
            self._delete(parent_fd, target_of(entry, base), directory)
        self._tree.forget()

    def _delete(self, parent_fd: int, name: bytes, directory: bytes) -> None:
        path = directory + b"/" + name if directory else name
        if path not in self._brought:
            remove_at(parent_fd, os.fsdecode(name))
            return
        if stat.S_ISDIR(os.lstat(name, dir_fd=parent_fd).st_mode):
            fd = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent_fd)
            try:
                self._delete_beneath(path, fd)
            finally:
                os.close(fd)

    def _delete_beneath(self, directory: bytes, fd: int) -> None:
        status = os.fstat(fd)
        if (status.st_dev, status.st_ino) in self._emptied:
            # All that is left the layer brought: a whiteout said twice, or a million times, costs one listing.
            return
        self._emptied.add((status.st_dev, status.st_ino))
        listing = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
        try:
            for name in os.listdir(listing):
                self._delete(listing, os.fsencode(name), directory)
        finally:
            os.close(listing)


def target_of(entry: Entry, base: bytes) -> bytes:
    """The name that a whiteout deletes. InvalidArgument for one that would delete its own directory or the parent."""
    target = base[len(PREFIX) :]
    if target in (b"", b".", b".."):
        raise InvalidArgument(f"the archive entry {show(entry.name)} is a whiteout of {show(target)}")
    return target
