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

_DOCKERFILE_LIMIT = 4 << 20


class DockerfileText(msgspec.Struct, frozen=True):
    """A Dockerfile as it was read; `name` is how messages call it."""

    name: str
    data: bytes
    path: Path | None


def read_dockerfile(context: Path, dockerfile: str | Path | None) -> DockerfileText:
    """Read the Dockerfile: the context's own, a path (seen from here, then from the context), or `-`.

    Raises NotFound, InvalidArgument.
    """
    if dockerfile is not None and str(dockerfile) == "-":
        return DockerfileText("Dockerfile", _bounded(sys.stdin.buffer, "standard input"), None)
    candidates = [context / "Dockerfile"] if dockerfile is None else [Path(dockerfile), context / dockerfile]
    for path in candidates:
        if path.is_file():
            with _explained(path), path.open("rb") as stream:
                return DockerfileText(path.name, _bounded(stream, str(path)), path)
    path = candidates[0]
    raise NotFound(
        "file",
        str(path),
        message=f"failed to read dockerfile: open {path}: no such file or directory",
        hint="name another one with -f",
    )


@contextmanager
def open_tree(context: Path, dockerfile: DockerfileText) -> Iterator[Tree]:
    """Lend the context as a tree of what is not ignored. Raises InvalidArgument, PermissionDenied."""
    rules = read_ignore(context, dockerfile)
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


def read_ignore(context: Path, dockerfile: DockerfileText) -> Ignore:
    """The rules of what is left out; none where there is no such file."""
    candidates = [context / ".dockerignore"]
    if dockerfile.path is not None:
        candidates.insert(0, dockerfile.path.with_name(dockerfile.path.name + ".dockerignore"))
    for path in candidates:
        if path.is_file():
            with _explained(path), path.open("rb") as stream:
                return ignore.parse(_bounded(stream, str(path)), path.name)
    return Ignore()


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
