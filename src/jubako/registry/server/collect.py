"""Garbage collection of a registry, beside the running server.

What goes:    uploads that nobody goes on with; with `untagged`, manifests that no tag leads to (through index children
              and subjects); blobs that no manifest of their repository names; bytes that no record names.
Grace:        what was touched within `grace_s` stays: a push sends blobs before the manifest that names them, and
              children before their index, and asking whether a blob is here touches it.
Concurrency:  one short transaction for each repository, one that condemns what no record names, and one for each few
              deletions; a push waits no longer than that, and takes back what it needs (state.py).
              A push that saw bytes which were then deleted finds that in the records, for GRACE_S.
Crashes:      what was condemned and not deleted stays so, for the next collection or the next push of it.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec

from jubako.errors import NotFound
from jubako.registry.server.blobs import Blobs
from jubako.registry.server.config.schema import ON_DISK, Storage
from jubako.registry.server.documents import Condemned, ManifestEntry
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.state import UPLOADS, State, put
from jubako.registry.server.uploads import LIFETIME_S, Uploads
from jubako.spec.oci_image import Digest

GRACE_S = 3600.0
_DELETED_AT_ONCE = 16


class Collected(msgspec.Struct):
    """What went: how many uploads, manifests and blobs, and the bytes that they took."""

    uploads: int = 0
    manifests: int = 0
    blobs: int = 0
    freed_bytes: int = 0


def collect(root: Path, *, storage: Storage = ON_DISK, grace_s: float = GRACE_S, untagged: bool = False) -> Collected:
    """Collect the registry in `root`; NotFound when there is none."""
    if not (root / UPLOADS).is_dir():
        raise NotFound("registry", str(root))
    with closing(State(root, storage)) as state:
        return collect_state(state, grace_s=grace_s, untagged=untagged)


def collect_state(state: State, *, grace_s: float = GRACE_S, untagged: bool = False) -> Collected:
    before = state.clock() - grace_s
    result = Collected(uploads=Uploads(state, Blobs(state)).expire(min(grace_s, LIFETIME_S)))
    for name in state.read.repositories.keys():
        with state.store.records.transaction():
            if untagged:
                result.manifests += drop_untagged(state, name, before)
            _drop_unused_links(state, name, before)
            _drop_if_empty(state, name, before)
    _delete(state, _condemn(state, before), result)
    result.freed_bytes += state.store.ingest.reap()
    return result


def drop_untagged(state: State, name: str, before: float) -> int:
    """Delete the manifests of repository `name` that no tag leads to and nobody touched since; say how many."""
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
    blobs = Blobs(state)
    for key, link in state.write.blobs.items(f"{name}@"):
        digest = key.partition("@")[2]
        if link.touched < before and digest not in used:
            blobs.discard(name, digest)


def _drop_if_empty(state: State, name: str, before: float) -> None:
    write = state.write
    is_empty = not (write.manifests.keys(f"{name}@") or write.blobs.keys(f"{name}@"))
    entry = write.repositories.find(name)
    # Another collection may have been faster.
    if is_empty and entry is not None and entry.created < before:
        write.repositories.delete(name)


def _condemn(state: State, before: float) -> list[Digest]:
    """Record durably which bytes no record names, and return them with those that were condemned already."""
    old = {stored.digest for stored in state.storage.stored() if stored.placed < before}
    with state.store.records.transaction():
        for key, entry in state.write.condemned.items():
            if entry.gone and entry.since < state.clock() - GRACE_S:
                state.write.condemned.delete(key)
        for digest in old - _named(state):
            put(state.write.condemned, digest, Condemned(state.clock()))
    # The records that named these bytes must not come back after a loss of power.
    state.make_durable()
    return [Digest(key) for key, entry in state.write.condemned.items() if not entry.gone]


def _delete(state: State, condemned: list[Digest], result: Collected) -> None:
    for start in range(0, len(condemned), _DELETED_AT_ONCE):
        with state.store.records.transaction():
            for digest in condemned[start : start + _DELETED_AT_ONCE]:
                entry = state.write.condemned.find(digest)
                if entry is not None and not entry.gone:
                    freed_bytes = state.storage.delete(digest)
                    result.freed_bytes += freed_bytes or 0
                    result.blobs += freed_bytes is not None
                    state.write.condemned.replace(digest, Condemned(state.clock(), gone=True))


def _named(state: State) -> set[Digest]:
    keys = [*state.write.blobs.keys(), *state.write.manifests.keys()]
    return {Digest(key.partition("@")[2]) for key in keys}
