"""What the build cache holds: layers with the steps that made them, and the cache mounts of RUN."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import msgspec

from jubako.build.cache import BuildCache, CacheEntry
from jubako.build.cachemounts import CacheMount, CacheMounts
from jubako.spec.oci_image import DiffID
from jubako.store.removal import tree_usage

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


def _size(cache: BuildCache, group: list[tuple[str, CacheEntry]], layer_path: LayerPath) -> int:
    """What the layer takes on disk, its blob and unpacked."""
    layers = [entry.output.layer for _, entry in group if entry.output.layer and entry.output.layer.has_blob]
    if not layers:
        return 0
    layer = layers[0]
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
