"""The build context: a directory, its Dockerfile, and what .dockerignore leaves of it.

`<Dockerfile>.dockerignore` beside the Dockerfile comes before the context's own `.dockerignore`. The Dockerfile may
stand outside the context, or come from standard input (`-`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from jubako.build.files import ignore
from jubako.build.files.ignore import Ignore
from jubako.build.files.tree import Tree
from jubako.errors import InvalidArgument, NotFound, PermissionDenied
from jubako.linux.openat2 import open_regular

_DOCKERFILE_LIMIT = 4 << 20


class DockerfileText(msgspec.Struct, frozen=True):
    """A Dockerfile as it was read; `name` is how messages call it."""

    name: str
    data: bytes
    path: Path | None
    inside: bool = False


def read_dockerfile(
    context: Path, dockerfile: str | Path | None, *, inside: bool = False, inline: str | None = None
) -> DockerfileText:
    """Read the Dockerfile: the context's own, a path (seen from here, then from the context), or `-`; or take `inline`.

    With `inside` nothing outside the context is looked at, whatever links are in it. Raises NotFound, InvalidArgument.
    """
    if inline is not None:
        return DockerfileText("Dockerfile", inline.encode(), None, inside)
    if dockerfile is not None and str(dockerfile) == "-":
        return DockerfileText("Dockerfile", _bounded(sys.stdin.buffer, "standard input"), None, inside)
    candidates = [context / "Dockerfile"] if dockerfile is None else [Path(dockerfile), context / dockerfile]
    if inside:
        candidates = [context / str(dockerfile or "Dockerfile").lstrip("/")]
    for path in candidates:
        if (data := _read(context, path, inside=inside)) is not None:
            return DockerfileText(path.name, data, path, inside)
    path = candidates[0]
    raise NotFound(
        "file",
        str(path),
        message=f"failed to read dockerfile: open {path}: no such file or directory",
        hint="name another one with -f",
    )


@contextmanager
def open_tree(context: Path, dockerfile: DockerfileText | None, *, inside: bool = False) -> Iterator[Tree]:
    """Lend the context as a tree of what is not ignored. Raises InvalidArgument, PermissionDenied."""
    rules = read_ignore(context, dockerfile, inside=inside)
    with _explained(context):
        fd = os.open(context, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Tree(fd, rules)
    finally:
        os.close(fd)


def check_directory(context: Path) -> None:
    """Raise when `context` is no directory that can be built from."""
    if not context.exists():
        raise InvalidArgument(f'unable to prepare context: path "{context}" not found')
    if not context.is_dir():
        raise InvalidArgument(f'unable to prepare context: context must be a directory: "{context}"')


def read_ignore(context: Path, dockerfile: DockerfileText | None, *, inside: bool = False) -> Ignore:
    """The rules of what is left out; none where there is no such file."""
    candidates = [context / ".dockerignore"]
    if dockerfile is not None and dockerfile.path is not None:
        candidates.insert(0, dockerfile.path.with_name(dockerfile.path.name + ".dockerignore"))
    inside = inside or (dockerfile is not None and dockerfile.inside)
    for path in candidates:
        if (data := _read(context, path, inside=inside)) is not None:
            return ignore.parse(data, path.name)
    return Ignore()


def _read(context: Path, path: Path, *, inside: bool) -> bytes | None:
    """The content of a regular file, or None when there is none."""
    with _explained(path):
        if inside:
            fd = _open_inside(context, path)
        else:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path.is_file() else None
    if fd is None:
        return None
    with os.fdopen(fd, "rb") as stream:
        return _bounded(stream, str(path))


def _open_inside(context: Path, path: Path) -> int | None:
    root_fd = os.open(context, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return open_regular(root_fd, str(path.relative_to(context)))
    except (FileNotFoundError, NotADirectoryError):
        return None
    finally:
        os.close(root_fd)


def _bounded(stream: BinaryIO, name: str) -> bytes:
    data = stream.read(_DOCKERFILE_LIMIT + 1)
    if len(data) > _DOCKERFILE_LIMIT:
        raise InvalidArgument(f"{name} is larger than {_DOCKERFILE_LIMIT >> 20} MB")
    return data


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise PermissionDenied(f"cannot read {path}: {error.strerror}") from error
