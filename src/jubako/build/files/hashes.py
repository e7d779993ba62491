"""Hashes of files, remembered from build to build.

A file is not read again while its path, inode, size, mtime and ctime are those that were hashed. The kernel moves
ctime with every change, but only as finely as its clock ticks: what changed just before it was hashed is not
remembered (git calls such files racy).
"""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import msgspec

from jubako.build.files.tree import Entry, Tree

if TYPE_CHECKING:
    from jubako.store import Records

_COLLECTION = "build-files"
_RACY_NS = 200_000_000
_CHUNK = 1 << 20

Fingerprint = tuple[int, int, int, int]


class _Known(msgspec.Struct):
    """Per path: the fingerprint, and the hash that belongs to it."""

    files: dict[str, tuple[Fingerprint, str]] = {}


class FileHashes:
    """The hashes of one directory tree, by path. load() at the beginning of a build, save() at its end."""

    def __init__(self, records: Records, place: str) -> None:
        self._collection = records.collection(_COLLECTION, _Known)
        self._records = records
        self._place = hashlib.sha256(os.fsencode(place)).hexdigest()
        known = self._collection.find(self._place)
        self._before = known.files if known else {}
        self._seen: dict[str, tuple[Fingerprint, str]] = {}
        self._changed = False

    def of(self, tree: Tree, entry: Entry) -> str:
        """The SHA-256 of a regular file's content, in hexadecimal."""
        status = entry.status
        fingerprint = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        known = self._seen.get(entry.path) or self._before.get(entry.path)
        if known and known[0] == fingerprint:
            self._seen[entry.path] = known
            return known[1]
        started_ns = time.time_ns()
        digest = hash_file(tree, entry.path)
        if max(fingerprint[2], fingerprint[3]) < started_ns - _RACY_NS:
            self._seen[entry.path] = (fingerprint, digest)
            self._changed = True
        return digest

    def save(self) -> None:
        """Remember what was hashed; what this build did not look at is kept while it is not the bulk."""
        if not self._changed:
            return
        room = 2 * len(self._seen) + 1000
        kept = {path: known for path, known in self._before.items() if path not in self._seen}
        files = {**self._seen, **dict(list(kept.items())[:room])}
        with self._records.transaction():
            if self._collection.find(self._place) is None:
                self._collection.insert(self._place, _Known(files))
            else:
                self._collection.replace(self._place, _Known(files))


def hash_file(tree: Tree, path: str) -> str:
    """The SHA-256 of a regular file's content, in hexadecimal."""
    digest = hashlib.sha256()
    fd = tree.open(path)
    try:
        while chunk := os.read(fd, _CHUNK):
            digest.update(chunk)
    finally:
        os.close(fd)
    return digest.hexdigest()
