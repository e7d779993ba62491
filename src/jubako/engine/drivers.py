"""What the engine's functions share: one opened store and the drivers above it.

Every function of the engine takes a `Drivers` first. Nothing here decides anything; it is opened by `Engine` and
closed with it. A Drivers object belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from jubako.engine.places import Places
from jubako.engine.record import ContainerRecord
from jubako.errors import NotFound
from jubako.image.catalog import Images
from jubako.snapshot import Overlay
from jubako.store import Collection, Store
from jubako.volume import Volumes

if TYPE_CHECKING:
    from jubako.engine.pods.record import PodRecord
    from jubako.image.catalog import Image
    from jubako.network import Networks
    from jubako.spec.oci_image import Digest
    from jubako.store import Recipe

T = TypeVar("T")

Admit = Callable[["Image", ContainerRecord], None]
"""Asked before a container is recorded; refuses by raising PermissionDenied. `security` provides real ones."""


class Drivers(Places):
    """The store and the drivers of one state directory. Its own places are the containers'."""

    def __init__(self, root: Path, run_root: Path, admit: Admit | None = None) -> None:
        super().__init__("container", root / "containers", run_root / "containers")
        self.root = root
        self.run_root = run_root
        self.admit = admit
        self.store = Store.open(root)
        self.store.blobs.cook = self._cook
        self.containers: Collection[ContainerRecord] = self.store.records.collection("container", ContainerRecord)
        self._passing = self.store.records.collection("container", ContainerRecord, lasting=False)
        self.pod_places = Places("pod", root / "pods", run_root / "pods")

    @cached_property
    def pods(self) -> Collection[PodRecord]:
        from jubako.engine.pods.record import PodRecord

        return self.store.records.collection("pod", PodRecord)

    def _cook(self, digest: Digest, recipe: Recipe, body: BinaryIO) -> BinaryIO:
        """A blob that `system compact` dropped, made again."""
        from jubako.snapshot.rebuild import rebuilt

        return rebuilt(digest, recipe, body, self.snapshots.layer_path(recipe.layer))

    @cached_property
    def images(self) -> Images:
        return Images(self.store)

    @cached_property
    def snapshots(self) -> Overlay:
        return Overlay(self.store)

    @cached_property
    def networks(self) -> Networks:
        from jubako.network.networks import Networks

        return Networks(self.store, self.run_root)

    @cached_property
    def volumes(self) -> Volumes:
        return Volumes(self.store)

    def close(self) -> None:
        if "networks" in self.__dict__:
            self.networks.close()
        self.store.close()

    def leave(self) -> None:
        """As `close`, but cheap, for a process that is about to end: the kernel closes the rest."""
        self.store.leave()

    def records_of(self, record: ContainerRecord) -> Collection[ContainerRecord]:
        """Where to write it: the record of a --rm container, which no power cut leaves running, need not last."""
        return self._passing if record.options.auto_remove else self.containers

    def log_path(self, record: ContainerRecord) -> Path:
        """The newest file of the container's log."""
        given = record.options.log_opts.get("path")
        return Path(given) if given else self.state_dir(record.id) / "container.log"


def find(drivers: Drivers, text: str) -> ContainerRecord:
    """Look a container up by name, full ID, or unambiguous prefix of an ID."""
    return look_up(drivers.containers, text)


def look_up(collection: Collection[T], text: str) -> T:
    """The record of that name, full ID, or unambiguous prefix of an ID; raises NotFound, InvalidArgument."""
    from jubako.errors import InvalidArgument

    if record := collection.find(text):
        return record
    if named := collection.by_unique(text.removeprefix("/")):
        return named[1]
    matches = collection.items(text) if text and not set(text) - set("0123456789abcdef") else []
    if len(matches) > 1:
        raise InvalidArgument(f"multiple IDs found with provided prefix: {text}")
    if not matches:
        raise NotFound(collection.name, text)
    return matches[0][1]
