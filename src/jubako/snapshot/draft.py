"""A layer in the making: a directory under ingest/ that one rename turns into a layer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jubako.spec.oci_image import DiffID
from jubako.store.failure import explained
from jubako.store.ingest import Ingest


class LayerDraft:
    """An empty directory to unpack into: `path`, and `fd` of it."""

    __slots__ = ("_path_of", "fd", "path")

    def __init__(self, path: Path, fd: int, path_of: Callable[[DiffID], Path]) -> None:
        self.path = path
        self.fd = fd
        self._path_of = path_of

    def commit(self, diff_id: DiffID) -> None:
        """Make it the layer `diff_id`. Where another process was first, its layer stays and this one goes."""
        publish(self.path, self._path_of(diff_id))


@contextmanager
def draft(ingest: Ingest, path_of: Callable[[DiffID], Path]) -> Iterator[LayerDraft]:
    """Lend a draft to the body; what was not committed is removed afterwards, or by `reap` after a kill."""
    with ingest.workspace() as workspace:
        path = workspace.path / "layer"
        os.mkdir(path)
        # The root of a layer is the root that containers see, unless the layer says otherwise; umask must not matter.
        os.chmod(path, 0o755)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield LayerDraft(path, fd, path_of)
        finally:
            os.close(fd)


def publish(source: Path, target: Path) -> bool:
    """Rename a finished directory into place; False if one was there already."""
    with explained("write to", target):
        try:
            os.rename(source, target)
        except OSError:
            # ENOTEMPTY or EEXIST. An empty layer is renamed over an equally empty one.
            if not target.is_dir():
                raise
            return False
    return True
