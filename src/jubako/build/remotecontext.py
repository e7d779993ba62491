"""Contexts that are no directory here: a tar or a Dockerfile on standard input or at a URL, a git repository.

Each becomes a directory of the build's own. What is in it comes from elsewhere, so even the Dockerfile is looked up
inside it alone: a link in a repository shows nothing of this machine.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jubako.build.alone import Alone
from jubako.build.sources.giturl import Repository, parse_git_url
from jubako.build.sources.login import NO_ACCESS, Access
from jubako.errors import InvalidArgument

if TYPE_CHECKING:
    from jubako.store import Store


class Fetched(msgspec.Struct, frozen=True):
    """The directory, and the Dockerfile to look for in it; None where there is but the one."""

    path: Path
    dockerfile: str | Path | None


def is_remote(context: str) -> bool:
    """Whether `context` is no path. A directory of that name comes first, as with docker."""
    return context == "-" or (not Path(context).exists() and (_is_url(context) or _repository(context) is not None))


@contextmanager
def fetched(
    store: Store,
    context: str,
    dockerfile: str | Path | None = None,
    *,
    keep_git_dir: bool = False,
    access: Access = NO_ACCESS,
) -> Iterator[Fetched]:
    """Lend the context as a directory, which is gone afterwards; `access` is for repositories.

    Raises InvalidArgument if the Dockerfile is to come from standard input too, and the kinds of a failed download.
    """
    if context == "-" and str(dockerfile) == "-":
        raise InvalidArgument("invalid argument: can't use stdin for both build context and dockerfile")
    with store.ingest.workspace() as workspace:
        repository = _repository(context)
        if repository is not None:
            found = _checked_out(repository, workspace.path, access, keep_git_dir=keep_git_dir)
            yield Fetched(found, dockerfile)
            return
        file = _spooled(workspace.path) if context == "-" else _downloaded(context, workspace.path)
        directory = workspace.path / "context"
        is_archive = _opened(file, directory)
        yield Fetched(directory, dockerfile if is_archive else None)


def shown_context(context: str) -> str:
    """What is no path, as records show it."""
    from jubako.build.sources.url import shown

    return shown(context)


def _checked_out(repository: Repository, directory: Path, access: Access, *, keep_git_dir: bool) -> Path:
    from jubako.build.sources.git import checkout, resolve_commit

    keep = keep_git_dir or repository.keep_git_dir
    with access.login(repository, directory) as login:
        commit = resolve_commit(repository, Alone(), login)
        if not commit.startswith(repository.checksum):
            from jubako.errors import DataLoss

            raise DataLoss(f"expected checksum to match {repository.checksum}, got {commit}")
        return checkout(repository, commit, directory, Alone(), login, keep_git_dir=keep)


def _downloaded(url: str, directory: Path) -> Path:
    from jubako.build.sources.url import download

    (directory / "download").mkdir()
    return directory / "download" / download(url, directory / "download", Alone()).state.name


def _spooled(directory: Path) -> Path:
    with (directory / "stdin").open("wb") as out:
        shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
    return directory / "stdin"


def _opened(file: Path, directory: Path) -> bool:
    """An archive is the context, anything else the Dockerfile of an empty one; says whether it was an archive."""
    from jubako.build.files.unpack import holds_archive

    directory.mkdir()
    if holds_archive(file.open("rb")):
        _extract(file, directory)
        return True
    file.rename(directory / "Dockerfile")
    return False


def _extract(file: Path, directory: Path) -> None:
    from jubako.image.layer.copy import extract_into

    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with file.open("rb") as stream:
            extract_into(fd, "/", stream, keep_kinds=False)
    finally:
        os.close(fd)
    file.unlink()


def _is_url(context: str) -> bool:
    return context.startswith(("http://", "https://"))


def _repository(context: str) -> Repository | None:
    text = f"https://{context}" if context.startswith("github.com/") else context
    found = parse_git_url(text)
    return msgspec.structs.replace(found, own_keys=True) if found else None
