"""The files of an artifact on disk, each by its title.

Safety: titles are hostile: nothing is written outside the directory that was named, and no link in it is followed.
Whole:  a file gets its name when all of it is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from jubako.errors import InvalidArgument
from jubako.image.layer import extract_into
from jubako.linux.openat2 import ONE_NAME, openat2
from jubako.spec.oci_image import Descriptor
from jubako.store import Store

TITLE = "org.opencontainers.image.title"
UNPACK, CONTENT_DIGEST = "io.deis.oras.content.unpack", "io.deis.oras.content.digest"
_PIECE_BYTES = 1 << 20


def write(store: Store, root: int, blob: Descriptor, *, overwrite: bool) -> str:
    """Write a blob that has a title beneath the directory `root`, and return the title."""
    annotations = blob.annotations or {}
    title = annotations[TITLE]
    names = parts(title)
    with store.blobs.open(blob.digest) as stream:
        if annotations.get(UNPACK) == "true":
            extract_into(root, stream, owner=(os.geteuid(), os.getegid()))
            return title
        with _parent(root, names[:-1]) as parent, _created(parent, names[-1], title, overwrite=overwrite) as out:
            while piece := stream.read(_PIECE_BYTES):
                out.write(piece)
    return title


@contextmanager
def _parent(root: int, parts: list[str]) -> Iterator[int]:
    """Lend the directory to write into, made with its parents."""
    fd = os.dup(root)
    try:
        for part in parts:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=fd)
            with _refused(part):
                below = openat2(fd, part, os.O_RDONLY | os.O_DIRECTORY, resolve=ONE_NAME)
            os.close(fd)
            fd = below
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _created(parent: int, name: str, title: str, *, overwrite: bool) -> Iterator[BinaryIO]:
    """Lend a new file, which takes its name when it is whole."""
    draft = f".jubako-{os.urandom(6).hex()}"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=parent), "wb") as out:
        try:
            yield out
            out.flush()
            with _refused(title):
                if overwrite:
                    os.rename(draft, name, src_dir_fd=parent, dst_dir_fd=parent)
                else:
                    os.link(draft, name, src_dir_fd=parent, dst_dir_fd=parent)
                    os.unlink(draft, dir_fd=parent)
        except BaseException:
            os.unlink(draft, dir_fd=parent)
            raise


@contextmanager
def _refused(title: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InvalidArgument(f"cannot write {title[:200]!r}: {os.strerror(error.errno or 0)}") from error


def parts(title: str) -> list[str]:
    """The components of a title, which must lead downwards."""
    found = title.split("/")
    if title.startswith("/") or any(part in ("", ".", "..") for part in found) or "\0" in title:
        raise InvalidArgument(f"the artifact has a file called {title[:200]!r}, which leads out of the directory")
    return found
