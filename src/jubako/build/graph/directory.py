"""WORKDIR: the directory that it makes."""

from __future__ import annotations

import os
from collections.abc import Sequence

from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Filesystem, Output, Task, digest_of, stacked
from jubako.linux.openat2 import mkdirs_in_root
from jubako.runtime.users import resolve


class MakeDirectory:
    """Make `path` with its parents, owned by the image's user."""

    def __init__(self, name: str, bench: Bench, path: str, user: str) -> None:
        self.name = name
        self._bench = bench
        self._path = path
        self._user = user

    def key(self, inputs: Sequence[Filesystem]) -> str:
        return digest_of("mkdir", inputs[0].diff_ids, self._path, self._user, self._bench.moment.epoch)

    def content_key(self, inputs: Sequence[Filesystem]) -> str | None:
        return None

    def run(self, inputs: Sequence[Filesystem], task: Task) -> Output:
        task.check()
        return self._bench.change(inputs[0], self._make)

    def result(self, inputs: Sequence[Filesystem], output: Output) -> Filesystem:
        return stacked(inputs[0], output)

    def _make(self, root_fd: int) -> None:
        identity = resolve(root_fd, self._user)
        os.close(mkdirs_in_root(root_fd, self._path, 0o755, owner=(identity.uid, identity.gid)))
