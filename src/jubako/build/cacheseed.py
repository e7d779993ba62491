"""The first content of a cache mount: a directory of the file system that its `from` names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from jubako.build.files.clone import Style
from jubako.build.files.copier import Copier
from jubako.build.files.failure import explained
from jubako.build.files.selection import Selected
from jubako.build.files.tree import Tree
from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem
from jubako.errors import InvalidArgument, NotFound


def seed(bench: Bench, source: Filesystem, path: str, directory: Path) -> None:
    """Make the empty `directory` a copy of the one at `path`. NotFound, InvalidArgument for what is no directory."""
    with bench.view(source) as root_fd:
        tree = Tree(root_fd)
        entry = tree.find(tree.real(path))
        if entry is None:
            raise NotFound("file", path, message=f'"{path}": not found in the source of the mount')
        if not stat.S_ISDIR(entry.status.st_mode):
            raise InvalidArgument(f'"{path}" is no directory, and a cache must begin as one')
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with explained("write"):
                Copier(fd, Style(owner=None, xattrs=True)).copy(Selected(tree, entry, ""), "/")
                os.fchown(fd, entry.status.st_uid, entry.status.st_gid)
                os.fchmod(fd, stat.S_IMODE(entry.status.st_mode))
        finally:
            os.close(fd)
