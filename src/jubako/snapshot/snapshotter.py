"""What every snapshotter offers: committed layers by diff_id, and writable snapshots of them by key.

All implementations pass tests/integration/snapshot/snapshotter_contract.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from jubako.snapshot.draft import LayerDraft
from jubako.spec.oci_image import DiffID
from jubako.spec.oci_runtime import Mount
from jubako.store import Freed


class Snapshot(msgspec.Struct, frozen=True):
    """A writable file system: its key, and the layers beneath it, lowest first."""

    key: str
    layers: list[DiffID]


class Snapshotter(Protocol):
    xattr_prefix: str
    """Where whiteout marks live: what `image.layer` is told when it unpacks into a draft or packs an upper."""

    def has_layer(self, diff_id: DiffID) -> bool: ...
    def new_layer(self) -> AbstractContextManager[LayerDraft]: ...
    def layer_path(self, diff_id: DiffID) -> Path: ...
    def layers(self) -> list[DiffID]: ...

    def discard_layer(self, diff_id: DiffID) -> None:
        """Delete one layer, which is damaged: whoever needs it unpacks it again."""

    def prepare(self, key: str, layers: Sequence[DiffID]) -> Snapshot:
        """Make a writable snapshot over `layers`, lowest first. AlreadyExists; NotFound for a layer."""

    def mounts(self, snapshot: Snapshot | str, *, volatile: bool = False) -> list[Mount]:
        """Return what to mount for a writable root; `volatile` gives up durability for speed."""

    def view_mounts(self, layers: Sequence[DiffID]) -> list[Mount]:
        """Return what to mount for a read-only root of `layers`."""

    def view_of(self, key: str) -> list[Mount]:
        """Return what to mount to read a snapshot, which may be in use: what changes meanwhile may be seen or not."""

    def get(self, key: str) -> Snapshot: ...
    def keys(self) -> list[str]: ...
    def remove(self, key: str) -> bool: ...

    def upper(self, key: str) -> Path:
        """Return the directory that holds what was written to the snapshot."""

    def usage(self, key: str) -> int:
        """Return the bytes on disk that the snapshot itself takes; 0 where there is none."""

    def adopt_upper(self, key: str, diff_id: DiffID) -> None:
        """Turn what was written to an unmounted snapshot into the layer `diff_id`; the snapshot is gone then."""

    def sweep(self, roots: Callable[[], Iterable[DiffID]]) -> Freed:
        """Delete the layers that neither `roots` nor a lease names."""
