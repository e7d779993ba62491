"""Garbage collection of a registry, beside the running server.

What goes:    uploads that nobody goes on with; with `untagged`, manifests that no tag leads to (through index children
              and subjects); blobs that no manifest of their repository names; files that no record names.
Grace:        what was touched within `grace_s` stays: a push sends blobs before the manifest that names them, and
              children before their index, and asking whether a blob is here touches it.
Concurrency:  one short transaction for each repository and one for the files; a push waits no longer than that.
Crashes:      files leave by rename into an ingest directory, which the next collection empties.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import msgspec

from jubako.errors import NotFound
from jubako.registry.server.blobs import Blobs
from jubako.registry.server.documents import ManifestEntry
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.state import UPLOADS, State
from jubako.registry.server.uploads import LIFETIME_S, Uploads
from jubako.spec.oci_image import Digest

GRACE_S = 3600.0


class Collected(msgspec.Struct):
    """What went: how many uploads, manifests and blobs, and the bytes that they took on disk."""

    uploads: int = 0
    manifests: int = 0
    blobs: int = 0
    freed_bytes: int = 0


def collect(root: Path, *, grace_s: float = GRACE_S, untagged: bool = False) -> Collected:
    """Collect the registry in `root`; NotFound when there is none."""
    if not (root / UPLOADS).is_dir():
        raise NotFound("registry", str(root))
    with closing(State(root)) as state:
        before = state.clock() - grace_s
        result = Collected(uploads=Uploads(state, Blobs(state)).expire(min(grace_s, LIFETIME_S)))
        for name in state.read.repositories.keys():
            with state.store.records.transaction():
                if untagged:
                    result.manifests += _drop_untagged(state, name, before)
                _drop_unused_links(state, name, before)
                _drop_if_empty(state, name, before)
        _remove_files(state, before, result)
    return result


def _drop_untagged(state: State, name: str, before: float) -> int:
    entries = {Digest(key.partition("@")[2]): entry for key, entry in state.write.manifests.items(f"{name}@")}
    tagged = {tag.digest for _, tag in state.write.tags.items(f"{name}:")}
    recent = {digest for digest, entry in entries.items() if entry.touched >= before}
    gone = entries.keys() - _reachable(entries, tagged | recent)
    manifests = Manifests(state)
    for digest in gone:
        manifests.discard(name, digest)
    return len(gone)


def _reachable(entries: dict[Digest, ManifestEntry], roots: set[Digest]) -> set[Digest]:
    """What the roots lead to: children of indexes, and whatever refers to something reachable."""
    referrers: dict[Digest, list[Digest]] = {}
    for digest, entry in entries.items():
        if entry.subject:
            referrers.setdefault(entry.subject, []).append(digest)
    found: set[Digest] = set()
    pending = list(roots)
    while pending:
        digest = pending.pop()
        if digest not in found:
            found.add(digest)
            pending += referrers.get(digest, [])
            pending += entries[digest].children if digest in entries else []
    return found


def _drop_unused_links(state: State, name: str, before: float) -> None:
    used = {digest for _, entry in state.write.manifests.items(f"{name}@") for digest in entry.blobs}
    for key, link in state.write.blobs.items(f"{name}@"):
        if link.touched < before and key.partition("@")[2] not in used:
            state.write.blobs.delete(key)


def _drop_if_empty(state: State, name: str, before: float) -> None:
    write = state.write
    is_empty = not (write.manifests.keys(f"{name}@") or write.blobs.keys(f"{name}@"))
    if is_empty and write.repositories.get(name).created < before:
        write.repositories.delete(name)


def _remove_files(state: State, before: float, result: Collected) -> None:
    """Remove the blobs that no repository has, out of sight within one transaction and for good after it."""
    path_of = state.store.blobs.path
    old = {digest for digest in state.store.blobs if os.stat(path_of(digest)).st_ctime < before}
    with state.store.ingest.workspace() as trash, state.store.records.transaction():
        # The records that named these files must not come back after a loss of power.
        state.make_durable()
        for digest in old - _named(state):
            result.blobs += 1
            result.freed_bytes += os.stat(path_of(digest)).st_blocks * 512
            os.rename(path_of(digest), trash.path / digest.replace(":", "-"))
    result.freed_bytes += state.store.ingest.reap()


def _named(state: State) -> set[Digest]:
    keys = [*state.write.blobs.keys(), *state.write.manifests.keys()]
    return {Digest(key.partition("@")[2]) for key in keys}
