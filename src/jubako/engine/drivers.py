"""What the engine's functions share: one opened store and the drivers above it.

Every function of the engine takes a `Drivers` first. Nothing here decides anything; it is opened by `Engine` and
closed with it. A Drivers object belongs to one thread.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from jubako.engine.record import ContainerRecord
from jubako.errors import NotFound
from jubako.image.catalog import Images
from jubako.snapshot import Overlay
from jubako.store import Collection, Store
from jubako.store.failure import explained
from jubako.store.removal import discard_tree
from jubako.volume import Volumes

if TYPE_CHECKING:
    from jubako.image.catalog import Image
    from jubako.network import Networks
    from jubako.spec.oci_image import Digest
    from jubako.store import Recipe

Admit = Callable[["Image", ContainerRecord], None]
"""Asked before a container is recorded; refuses by raising PermissionDenied. `security` provides real ones."""


class Drivers:
    """The store and the drivers of one state directory."""

    def __init__(self, root: Path, run_root: Path, admit: Admit | None = None) -> None:
        self.root = root
        self.run_root = run_root
        self.admit = admit
        self._states = root / "containers"
        self._runs = run_root / "containers"
        self.store = Store.open(root)
        self.store.blobs.cook = self._cook
        self.containers: Collection[ContainerRecord] = self.store.records.collection("container", ContainerRecord)
        self._passing = self.store.records.collection("container", ContainerRecord, lasting=False)

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

    def state_dir(self, container_id: str) -> Path:
        """What of a container survives a reboot, besides its record and its snapshot."""
        return self._states / container_id

    def run_dir(self, container_id: str) -> Path:
        """What of a container ends with the boot."""
        return self._runs / container_id

    @contextmanager
    def locked(self, container_id: str) -> Iterator[None]:
        """Hold the one lock under which a container changes its phase.

        The lock file is made in the state directory on first use; a container that is gone has none, which raises
        NotFound. The kernel drops the lock with its holder.
        """
        fd = self._open_lock(container_id)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    @contextmanager
    def making(self, container_id: str) -> Iterator[None]:
        """Make a container's state directory and hold its lock; the directory goes when the body fails.

        Collection may take an unlocked directory without a record at any time: then it is made again.
        """
        fd = self._make_locked(container_id)
        try:
            yield
        except BaseException:
            discard_tree(self.state_dir(container_id))
            raise
        finally:
            os.close(fd)

    def _make_locked(self, container_id: str) -> int:
        directory = self.state_dir(container_id)
        while True:
            with explained("write to", directory), suppress(NotFound):
                directory.mkdir(parents=True, exist_ok=True, mode=0o710)
                fd = self._open_lock(container_id)
                fcntl.flock(fd, fcntl.LOCK_EX)
                if os.fstat(fd).st_nlink:
                    return fd
                os.close(fd)

    def discard(self, container_id: str) -> None:
        """Delete the directories of a container without a record, unless somebody is making it at this moment."""
        if self.state_dir(container_id).is_dir():
            try:
                fd = self._open_lock(container_id)
            except NotFound:
                return
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._delete_directories(container_id)
            except BlockingIOError:
                return
            finally:
                os.close(fd)
        else:
            self._delete_directories(container_id)

    def _delete_directories(self, container_id: str) -> None:
        if self.containers.find(container_id) is None:
            discard_tree(self.run_dir(container_id))
            discard_tree(self.state_dir(container_id))

    def is_locked(self, container_id: str) -> bool:
        """Whether somebody is changing the container's phase at this moment."""
        try:
            fd = self._open_lock(container_id)
        except NotFound:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def _open_lock(self, container_id: str) -> int:
        try:
            return os.open(self.state_dir(container_id) / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            raise NotFound("container", container_id) from None


def find(drivers: Drivers, text: str) -> ContainerRecord:
    """Look a container up by name, full ID, or unambiguous prefix of an ID."""
    from jubako.errors import InvalidArgument

    if record := drivers.containers.find(text):
        return record
    if named := drivers.containers.by_unique(text.removeprefix("/")):
        return named[1]
    matches = drivers.containers.items(text) if text and not set(text) - set("0123456789abcdef") else []
    if len(matches) > 1:
        raise InvalidArgument(f"multiple IDs found with provided prefix: {text}")
    if not matches:
        raise NotFound("container", text)
    return matches[0][1]
