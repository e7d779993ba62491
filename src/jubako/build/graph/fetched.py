"""Sources from the network as file systems.

Cache:  what was fetched is kept by what it is: a URL's content under its digest, a repository under its commit. So a
        source that did not change costs one conditional request.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from jubako.build.files.clone import Style
from jubako.build.files.copier import Copier
from jubako.build.files.fetched import FILE, TREE
from jubako.build.files.selection import select
from jubako.build.files.tree import Tree
from jubako.build.graph.bench import Bench
from jubako.build.graph.filesystem import Cached, Filesystem, Output, Task, digest_of, stacked
from jubako.build.sources.git import checkout, resolve_commit
from jubako.build.sources.giturl import Repository
from jubako.build.sources.known import KnownUrls, UrlState
from jubako.build.sources.login import Access, Login
from jubako.build.sources.url import Download, NotModified, download, shown
from jubako.errors import DataLoss


class _Fetch:
    """What both kinds share: with a `checksum` the source is known before it is fetched, without it is asked for."""

    def __init__(self, name: str, bench: Bench, cache: Cached) -> None:
        self.name = name
        self._bench = bench
        self._cache = cache

    def content_key(self, inputs: Sequence[Filesystem]) -> str | None:
        return None

    def result(self, inputs: Sequence[Filesystem], output: Output) -> Filesystem:
        return stacked(Filesystem(), output)

    def _keep(self, directory: str, source: Tree, style: Style) -> Output:
        """Make a layer of all that is in `source`."""
        items = select(source, ["."], where="what was fetched")

        def copy(root_fd: int) -> None:
            for item in items:
                Copier(root_fd, style).copy(item, f"/{directory}/")

        return self._bench.change(Filesystem(), copy)


class FetchUrl(_Fetch):
    """ADD of an http or https URL."""

    def __init__(self, name: str, bench: Bench, cache: Cached, url: str, checksum: str | None) -> None:
        super().__init__(name, bench, cache)
        self._url = url
        self._checksum = checksum
        self._known = KnownUrls(bench.store.records)

    def key(self, inputs: Sequence[Filesystem]) -> str | None:
        return digest_of("url", self._url, self._checksum) if self._checksum else None

    def run(self, inputs: Sequence[Filesystem], task: Task) -> Output:
        known = self._known.find(self._url)
        output = self._cache.find(_url_key(known), self.name) if known else None
        # What is not sure to be here any more is fetched anew.
        with self._bench.store.ingest.workspace() as workspace:
            try:
                got = download(self._url, workspace.path, task, known=known if output else None)
            except NotModified:
                assert output is not None
                assert known is not None
                self._check(known.sha256)
                return output
            self._check(got.sha256)
            output = self._cache.find(_url_key(got.state), self.name) or self._store(got, workspace.path)
        self._known.remember(self._url, got.state)
        return output

    def _store(self, got: Download, directory: Path) -> Output:
        path = directory / got.state.name
        path.chmod(0o600)
        os.utime(path, (got.state.modified_s, got.state.modified_s))
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            output = self._keep(FILE, Tree(fd), Style())
        finally:
            os.close(fd)
        self._cache.put(_url_key(got.state), output, self.name)
        return output

    def _check(self, sha256: str) -> None:
        if self._checksum and self._checksum != f"sha256:{sha256}":
            raise DataLoss(f"digest mismatch for {shown(self._url)}: sha256:{sha256}, expected {self._checksum}")


class FetchGit(_Fetch):
    """ADD of a git repository."""

    def __init__(
        self,
        name: str,
        bench: Bench,
        cache: Cached,
        repository: Repository,
        keep_git_dir: bool,
        checksum: str | None,
        access: Access,
    ) -> None:
        super().__init__(name, bench, cache)
        self._repository = repository
        self._keep_git_dir = keep_git_dir
        self._checksum = checksum
        self._access = access

    def key(self, inputs: Sequence[Filesystem]) -> str | None:
        return self._commit_key(self._repository.ref) if self._repository.names_commit else None

    def run(self, inputs: Sequence[Filesystem], task: Task) -> Output:
        with (
            self._bench.store.ingest.workspace() as workspace,
            self._access.login(self._repository, workspace.path) as login,
        ):
            commit = resolve_commit(self._repository, task, login)
            if self._checksum and not commit.startswith(self._checksum):
                raise DataLoss(f"expected checksum to match {self._checksum}, got {commit}")
            key = self._commit_key(commit)
            output = self._cache.find(key, self.name)
            if output is None:
                output = self._fetch(commit, workspace.path, login, task)
                self._cache.put(key, output, self.name)
            return output

    def _commit_key(self, commit: str) -> str:
        repository = self._repository
        return digest_of("git", repository.url, commit, repository.subdir, self._keep_git_dir, self._bench.moment.epoch)

    def _fetch(self, commit: str, directory: Path, login: Login, task: Task) -> Output:
        path = checkout(self._repository, commit, directory, task, login, keep_git_dir=self._keep_git_dir)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return self._keep(TREE, Tree(fd), Style(mtime_ns=self._bench.moment.epoch_ns))
        finally:
            os.close(fd)


def _url_key(state: UrlState) -> str:
    return digest_of("download", state.name, state.sha256, state.modified_s)
