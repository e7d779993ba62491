"""Snapshots by overlayfs.

Layout:       layers/<algorithm>/<hex>/    one unpacked diff, in overlay's own form of whiteouts
              layers/empty/                stands in where overlayfs wants a lower directory and there is none
              snapshots/<key>/upper,work   what a snapshot wrote
              snapshots/<key>/layers.json  the diff_ids beneath it, lowest first; written last
Invariant:    a path under layers/<algorithm>/ is complete, and never changes.
Concurrency:  many processes; a layer and a removal are one rename each. Nothing is mounted here: the executor mounts
              in the container's own mount namespace, so kill -9 leaves no mount.
Spec:         Documentation/filesystems/overlayfs.rst; whiteouts are 0:0 character devices, opacity is an xattr.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import msgspec

from jubako.errors import AlreadyExists, InvalidArgument, NotFound
from jubako.snapshot.draft import LayerDraft, draft, publish
from jubako.snapshot.snapshotter import Snapshot
from jubako.spec import decoding
from jubako.spec.oci_image import DiffID
from jubako.spec.oci_runtime import Mount
from jubako.store import Freed, Store
from jubako.store import digest as digests
from jubako.store.failure import explained
from jubako.store.removal import tree_usage

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DECODER = decoding.decoder(list[DiffID])


class Overlay:
    """The overlay snapshotter of one store."""

    def __init__(self, store: Store, *, userxattr: bool | None = None) -> None:
        """`userxattr` keeps overlay's marks in user.overlay.*, which is needed in a user namespace."""
        self._ingest = store.ingest
        self._leases = store.leases
        self._blobs = store.blobs
        self._layers = store.root / "layers"
        self._snapshots = store.root / "snapshots"
        self.userxattr = _in_user_namespace() if userxattr is None else userxattr
        self.xattr_prefix = "user." if self.userxattr else "trusted."

    def layer_path(self, diff_id: DiffID) -> Path:
        """Return where the layer is or would be."""
        return Path(self._layer(diff_id))

    def has_layer(self, diff_id: DiffID) -> bool:
        return os.path.isdir(self._layer(diff_id))

    def new_layer(self) -> AbstractContextManager[LayerDraft]:
        """Begin a layer."""
        return draft(self._ingest, self._parented_layer_path)

    def layers(self) -> list[DiffID]:
        """Return all committed layers."""
        return [
            DiffID(f"{algorithm}:{encoded}")
            for algorithm in ("sha256", "sha512")
            if os.path.isdir(self._layers / algorithm)
            for encoded in os.listdir(self._layers / algorithm)
        ]

    def discard_layer(self, diff_id: DiffID) -> None:
        with suppress(FileNotFoundError):
            self._ingest.discard(self.layer_path(diff_id))

    def prepare(self, key: str, layers: Sequence[DiffID]) -> Snapshot:
        path = self._path(key)
        mode, uid, gid = self._root_attributes(layers)
        with explained("make the snapshot", path):
            try:
                os.mkdir(path, 0o700)
            except FileExistsError:
                raise AlreadyExists("snapshot", key) from None
            upper = f"{path}/upper"
            os.mkdir(f"{path}/work", 0o700)
            os.mkdir(upper)
            os.chown(upper, uid, gid)
            os.chmod(upper, mode)
            with open(f"{path}/layers.json", "xb", buffering=0) as file:
                file.write(msgspec.json.encode(layers))
        return Snapshot(key, list(layers))

    def get(self, key: str) -> Snapshot:
        """Return the snapshot of `key`, or raise NotFound."""
        try:
            with explained("read the snapshot", self._path(key)):
                return Snapshot(key, _DECODER.decode((self._path(key) / "layers.json").read_bytes()))
        except (FileNotFoundError, msgspec.DecodeError):
            # Or one that a kill left unfinished.
            raise NotFound("snapshot", key) from None

    def keys(self) -> list[str]:
        return os.listdir(self._snapshots)

    def upper(self, key: str) -> Path:
        return self._path(key) / "upper"

    def usage(self, key: str) -> int:
        try:
            return tree_usage(self.upper(key))
        except FileNotFoundError:
            return 0  # removed meanwhile, or left by a kill before it had one

    def mounts(self, snapshot: Snapshot | str, *, volatile: bool = False) -> list[Mount]:
        if isinstance(snapshot, str):
            snapshot = self.get(snapshot)
        path = self._path(snapshot.key)
        options = [*self._lower(snapshot.layers), f"upperdir={path}/upper", f"workdir={path}/work"]
        return [self._mount(options + ["volatile"] * volatile)]

    def view_mounts(self, layers: Sequence[DiffID]) -> list[Mount]:
        if not layers:
            return [Mount(destination="/", type="bind", source=str(self._empty()), options=["bind", "ro"])]
        options = self._lower(layers)
        if len(options) == 1:
            # Without an upper, overlayfs wants two. A plain bind would show the whiteouts of the layer as devices.
            options.append(f"lowerdir+={self._empty()}")
        return [self._mount([*options, "ro"])]

    def view_of(self, key: str) -> list[Mount]:
        options = [f"lowerdir+={self.upper(key)}", *self._lower(self.get(key).layers)]
        return [self._mount([*options, "ro"])]

    def remove(self, key: str) -> bool:
        """Delete the snapshot, and say whether it was there."""
        try:
            with explained("remove the snapshot", self._path(key)):
                self._ingest.discard(self._path(key))
        except FileNotFoundError:
            return False
        return True

    def adopt_upper(self, key: str, diff_id: DiffID) -> None:
        if not os.path.isdir(self.upper(key)):
            raise NotFound("snapshot", key)
        publish(self.upper(key), self._parented_layer_path(diff_id))
        self.remove(key)

    def sweep(self, roots: Callable[[], Iterable[DiffID]]) -> Freed:
        """Delete the layers that neither `roots` nor a lease names; `roots` is called after the leases are read."""
        with self._leases.exclusive():
            keep = {*self._leases.held(), *roots(), *self._blobs.needed_layers()}
            buried = [self._ingest.bury(self.layer_path(layer)) for layer in self.layers() if layer not in keep]
        freed_bytes = sum(tree_usage(layer) for layer in buried)
        for layer in buried:
            self._ingest.dispose(layer)
        return Freed(len(buried), freed_bytes)

    def _path(self, key: str) -> Path:
        if _KEY.fullmatch(key) is None:
            raise InvalidArgument(f"invalid snapshot key: {key[:200]!r}")
        return self._snapshots / key

    def _layer(self, diff_id: DiffID) -> str:
        algorithm, encoded = digests.split(diff_id)
        return f"{self._layers}/{algorithm}/{encoded}"

    def _parented_layer_path(self, diff_id: DiffID) -> Path:
        path = self.layer_path(diff_id)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        return path

    def _lower(self, layers: Sequence[DiffID]) -> list[str]:
        """Return the options for the lower directories: overlayfs takes them topmost first, and none of them twice.

        Of a layer that comes again the topmost place is enough: what it says there hides all that it says below.
        """
        if not layers:
            return [f"lowerdir+={self._empty()}"]
        return [f"lowerdir+={self._layer(layer)}" for layer in dict.fromkeys(reversed(layers))]

    def _empty(self) -> Path:
        path = self._layers / "empty"
        path.mkdir(mode=0o755, exist_ok=True)
        return path

    def _mount(self, options: list[str]) -> Mount:
        # Uppers become layers of their own: they must hold whole files and real names, whatever the module's default.
        fixed = ["index=off", "userxattr"] if self.userxattr else ["index=off", "metacopy=off", "redirect_dir=off"]
        return Mount(destination="/", type="overlay", source="overlay", options=[*options, *fixed])

    def _root_attributes(self, layers: Sequence[DiffID]) -> tuple[int, int, int]:
        """Return mode, uid and gid for a new upper: overlayfs shows the root of the topmost directory."""
        if not layers:
            return 0o755, os.geteuid(), os.getegid()
        try:
            status = os.stat(self._layer(layers[-1]))
        except FileNotFoundError:
            raise NotFound("layer", layers[-1]) from None
        return status.st_mode & 0o7777, status.st_uid, status.st_gid


def _in_user_namespace() -> bool:
    """Tell whether ids are mapped, or this is an ordinary user who will need a namespace where they are."""
    if os.geteuid() != 0:
        return True
    with open("/proc/self/uid_map", encoding="ascii") as stream:
        return stream.read().split() != ["0", "0", "4294967295"]
