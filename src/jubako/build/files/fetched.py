"""What was fetched, in its file system: a URL is the one file beneath `/file`, a repository the tree `/tree`."""

from __future__ import annotations

import stat
from collections.abc import Sequence

from jubako.build.files.selection import Selected, select
from jubako.build.files.tree import Tree

FILE, TREE = "file", "tree"


def fetched_files(tree: Tree, excludes: Sequence[str]) -> list[Selected]:
    """What there is to copy of a fetched source's file system."""
    entry = tree.find(FILE)
    if entry is None or not stat.S_ISDIR(entry.status.st_mode):
        return select(tree, [TREE], where="the repository", excludes=excludes)
    return select(tree, [f"{FILE}/*"], where="the download", excludes=excludes)
