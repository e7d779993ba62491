"""The cache mounts of RUN on disk: what there are, how large, since when unused; and their removal.

Layout:       ROOT/cache/mounts/<hash of the id>[-<n>]/{lock,id,data}    (made by build.runmounts)
Concurrency:  a lock is held while a command runs with the mount: one that is locked is in use, and stays. A removal
              moves the directory away first, so that who waits for its lock sees that it is another's then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from jubako.linux import locks
from jubako.store.removal import remove_tree, tree_usage

_GONE = ".gone-"


class CacheMount(msgspec.Struct, frozen=True):
    """`id` is what the Dockerfile calls it; times are nanoseconds since the epoch."""

    name: str
    id: str
    size_bytes: int
    created_ns: int
    used_ns: int
    in_use: bool


class CacheMounts:
    """Those of one state directory."""

    def __init__(self, root: Path) -> None:
        self._base = root / "cache" / "mounts"

    def list(self) -> list[CacheMount]:
        found = []
        for path in sorted(self._base.iterdir()) if self._base.is_dir() else ():
            with suppress(FileNotFoundError):  # Removed meanwhile, or only begun.
                if not path.name.startswith(_GONE):
                    found.append(_described(path))
        return found

    def remove(self, names: Iterable[str]) -> None:
        """Delete those of `names` that no command uses, and what a killed removal left."""
        for name in names:
            with suppress(FileNotFoundError), _locked(self._base / name) as is_free:
                if is_free:
                    (self._base / name).rename(self._base / f"{_GONE}{os.urandom(8).hex()}")
        for path in self._base.glob(f"{_GONE}*"):
            remove_tree(path)


def is_at(fd: int, path: Path) -> bool:
    """Whether the open file is still the one that `path` names."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(fd), path.stat())
    return False


def _described(path: Path) -> CacheMount:
    status = (path / "lock").stat()
    with _locked(path) as is_free:
        data, about = path / "data", path / "id"
        return CacheMount(
            name=path.name,
            id=about.read_text() if about.is_file() else "",
            size_bytes=tree_usage(data) if data.is_dir() else 0,
            created_ns=(data if data.is_dir() else path).stat().st_ctime_ns,
            used_ns=status.st_mtime_ns,
            in_use=not is_free,
        )


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Tell whether nobody uses the mount; then nobody does during the body."""
    fd = os.open(path / "lock", os.O_RDWR | os.O_CLOEXEC)
    try:
        yield locks.take(fd) and is_at(fd, path / "lock")
    finally:
        os.close(fd)
