"""What the build cache holds, and which of it a prune takes: by age, kind, size and free space.

Spec: BuildKit's garbage collection policies (reserved, maximum used and minimum free space).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import msgspec

from jubako.build.cache import BuildCache, CacheEntry
from jubako.build.cachemounts import CacheMount, CacheMounts
from jubako.build.truth import truth
from jubako.errors import InvalidArgument
from jubako.spec.oci_image import DiffID
from jubako.store.removal import tree_usage

_FILTERS = ("description", "id", "inuse", "mutable", "private", "shared", "type")
LayerPath = Callable[[DiffID], Path]
REGULAR, MOUNT = "regular", "exec.cachemount"
_ID_CHARS = 25


class CacheRecord(msgspec.Struct, frozen=True):
    """One layer of the cache with the steps that made it (their `keys`); steps that changed nothing stand alone.

    It is `shared` when an image has the layer too: then pruning frees nothing of it. What a running build uses is
    `in_use`. A cache mount of RUN is a record of its own type, whose key is its directory's name.
    """

    keys: list[str]
    description: str
    size_bytes: int
    created_ns: int
    used_ns: int
    shared: bool
    type: str = REGULAR
    in_use: bool = False

    @property
    def id(self) -> str:
        return self.keys[0][:_ID_CHARS]


class PrunePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What to take. With any of the spaces set, only as much as they ask for, least recently used first.

    Without `all`, what images share stays.
    """

    all: bool = False
    filters: Mapping[str, str] = {}
    unused_for_ns: int | None = None
    reserved_bytes: int = 0
    max_used_bytes: int = 0
    min_free_bytes: int = 0


def usage(
    cache: BuildCache, mounts: CacheMounts, layer_path: LayerPath, image_layers: Collection[str]
) -> list[CacheRecord]:
    """All records, most recently used first. Layers are measured once, where `layer_path` says that they are."""
    leased = cache.leased()
    grouped: dict[str, list[tuple[str, CacheEntry]]] = {}
    for key, entry in cache.entries():
        layer = entry.output.layer
        grouped.setdefault(layer.diff_id if layer else key, []).append((key, entry))
    records = [
        _record(group, _size(cache, group, layer_path), identity in image_layers, leased)
        for identity, group in grouped.items()
    ]
    records += [_mount_record(mount) for mount in mounts.list()]
    return sorted(records, key=lambda record: record.used_ns, reverse=True)


def matching(
    records: list[CacheRecord], filters: Mapping[str, str], unused_for_ns: int | None = None
) -> list[CacheRecord]:
    """Those that every filter lets through, and of which nothing was used for so long (`until` and `unused-for`).

    Raises InvalidArgument for a filter that there is not.
    """
    for name in filters:
        if name not in _FILTERS:
            known = ", ".join([*_FILTERS, "unused-for", "until"])
            raise InvalidArgument(f"invalid filter {name!r}", hint=f"there are {known}")
    found = [record for record in records if all(_fits(record, name, value) for name, value in filters.items())]
    if unused_for_ns is None:
        return found
    before_ns = time.time_ns() - unused_for_ns
    return [record for record in found if record.used_ns < before_ns]


def choose(records: list[CacheRecord], policy: PrunePolicy, *, free_bytes: int) -> list[CacheRecord]:
    """Which of `records` (most recently used first) the policy takes; `free_bytes` is the disk's."""
    chosen = matching(records, policy.filters, policy.unused_for_ns)
    candidates = [record for record in chosen if not record.in_use and (policy.all or not record.shared)]
    total = sum(record.size_bytes for record in records if policy.all or not record.shared)
    keep = _bytes_to_keep(policy, total, free_bytes)
    taken: list[CacheRecord] = []
    for record in reversed(candidates):
        if keep is not None and total <= keep:
            break
        taken.append(record)
        total -= record.size_bytes
    return taken


def remove(records: list[CacheRecord], cache: BuildCache, mounts: CacheMounts) -> None:
    """Forget them; what they took goes by collection, but mounts at once, unless somebody uses them by now."""
    cache.forget([key for record in records if record.type == REGULAR for key in record.keys])
    mounts.remove(record.keys[0] for record in records if record.type == MOUNT)


def _bytes_to_keep(policy: PrunePolicy, total: int, free_bytes: int) -> int | None:
    """How large the cache may stay; None when size does not matter."""
    if not (policy.reserved_bytes or policy.max_used_bytes or policy.min_free_bytes):
        return None
    keep = policy.max_used_bytes or (total if policy.min_free_bytes else 0)
    if (missing := policy.min_free_bytes - free_bytes) > 0:
        keep = min(keep, total - missing)
    return max(keep, policy.reserved_bytes)


def _size(cache: BuildCache, group: list[tuple[str, CacheEntry]], layer_path: LayerPath) -> int:
    """What the layer takes on disk, its blob and unpacked."""
    layer = group[0][1].output.layer
    if layer is None or not layer.has_blob:
        return 0
    known = [entry.unpacked_bytes for _, entry in group if entry.unpacked_bytes is not None]
    if not known and (path := layer_path(layer.diff_id)).is_dir():
        known = [tree_usage(path)]
        cache.note_size([key for key, _ in group], known[0])
    return layer.blob.size + (known[0] if known else 0)


def _record(group: list[tuple[str, CacheEntry]], size_bytes: int, shared: bool, leased: Collection[str]) -> CacheRecord:
    layer = group[0][1].output.layer
    entries = [entry for _, entry in group]
    return CacheRecord(
        keys=sorted(key for key, _ in group),
        description=entries[0].name,
        size_bytes=size_bytes,
        created_ns=min(entry.created_ns for entry in entries),
        used_ns=max(entry.used_ns for entry in entries),
        shared=shared,
        in_use=any(key in leased for key, _ in group) or bool(layer and layer.diff_id in leased),
    )


def _mount_record(mount: CacheMount) -> CacheRecord:
    return CacheRecord(
        keys=[mount.name],
        description=f"cached mount {mount.id}".rstrip(),
        size_bytes=mount.size_bytes,
        created_ns=mount.created_ns,
        used_ns=mount.used_ns,
        shared=False,
        type=MOUNT,
        in_use=mount.in_use,
    )


def _fits(record: CacheRecord, name: str, value: str) -> bool:
    match name:
        case "id":
            return any(key.startswith(value) for key in record.keys)
        case "description":
            return value in record.description
        case "shared" | "private":
            return record.shared == (_truth(name, value) == (name == "shared"))
        case "inuse":
            return record.in_use == _truth(name, value)
        case "mutable":
            return (record.type == MOUNT) == _truth(name, value)
        case _:
            return record.type in value.split(",")


def _truth(name: str, value: str) -> bool:
    wanted = truth(value or "true")
    if wanted is None:
        raise InvalidArgument(f"invalid filter {name}={value}: it is true or false")
    return wanted
