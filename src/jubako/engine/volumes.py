"""A container's volumes and binds at start: made where missing, filled from the image where new."""

from __future__ import annotations

import os
import stat

from jubako.engine.drivers import Drivers
from jubako.engine.mounts import MountPoint, to_runtime
from jubako.engine.record import ContainerRecord
from jubako.errors import InvalidArgument, NotFound
from jubako.linux import mount
from jubako.linux.openat2 import mkdirs_in_root, open_in_root
from jubako.snapshot import mounted
from jubako.snapshot.mounted import detached
from jubako.spec.oci_runtime import Mount


def mounts(drivers: Drivers, record: ContainerRecord, trees: dict[str, int]) -> list[Mount]:
    """The runtime's mounts of the container's mount points; makes volumes and (for -v) host directories.

    A part of a volume or directory, and an image, is added to `trees` as a detached mount, which the caller owns.
    """
    found = []
    for point in record.mounts:
        found.append(to_runtime(_ready(drivers, record, point)))
        if point.type == "image":
            trees[point.destination] = _image(drivers, point)
        elif point.subpath:
            trees[point.destination] = _part(point)
    return found


def _image(drivers: Drivers, point: MountPoint) -> int:
    view = drivers.snapshots.view_mounts(point.layers)
    try:
        return detached(view, point.subpath, drivers.run_root)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InvalidArgument(f"cannot access subpath {point.subpath} of {point.source}: {error.strerror}") from None


def _part(point: MountPoint) -> int:
    """A detached mount of `subpath`. Who writes to the source may change it at any time, so it is resolved within it,
    and what was found is what is mounted (CVE-2017-1002101, CVE-2021-25741)."""
    source_fd = os.open(point.source, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        part_fd = _open_part(source_fd, point)
    except OSError as error:
        raise InvalidArgument(f"cannot access subpath {point.subpath} of {point.source}: {error.strerror}") from None
    finally:
        os.close(source_fd)
    try:
        flags = mount.OPEN_TREE_CLONE | mount.AT_RECURSIVE | mount.AT_EMPTY_PATH
        return mount.open_tree("", flags, dir_fd=part_fd)
    finally:
        os.close(part_fd)


def _open_part(source_fd: int, point: MountPoint) -> int:
    try:
        return open_in_root(source_fd, point.subpath, os.O_PATH)
    except FileNotFoundError:
        if not point.create_source:
            raise
        return mkdirs_in_root(source_fd, point.subpath, 0o750)


def _ready(drivers: Drivers, record: ContainerRecord, point: MountPoint) -> MountPoint:
    if point.type == "bind":
        check_bind(point)
        if not os.path.exists(point.source):
            os.makedirs(point.source, mode=0o755, exist_ok=True)
    elif point.type == "volume":
        _make_volume(drivers, record, point)
    return point


def check_bind(point: MountPoint) -> None:
    """Raise InvalidArgument for what should be bound, is not there, and is not to be made."""
    if point.type == "bind" and not point.create_source and not os.path.exists(point.source):
        raise InvalidArgument(f'invalid mount config for type "bind": bind source path does not exist: {point.source}')


def _make_volume(drivers: Drivers, record: ContainerRecord, point: MountPoint) -> None:
    """Find or make the volume. An anonymous one gets its name here, which `start` records before it runs."""
    try:
        volume = drivers.volumes.get(point.name) if point.name else None
    except NotFound:
        volume = None
    if volume is None:
        with drivers.store.records.transaction():
            volume = drivers.volumes.create(point.name or None)
            point.name = volume.name
            drivers.containers.replace(record.id, record)
    point.source = str(volume.path)
    if point.copy_up and not os.listdir(volume.path):
        _copy_up(drivers, record, point)


def _copy_up(drivers: Drivers, record: ContainerRecord, point: MountPoint) -> None:
    """Fill a new volume with what the image has at its target, with owners and modes."""
    with mounted(drivers.snapshots.mounts(record.id)) as root_fd:
        try:
            source_fd = open_in_root(root_fd, point.destination, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return
        try:
            if stat.S_ISDIR(os.fstat(source_fd).st_mode):
                drivers.volumes.populate(drivers.volumes.get(point.name), source_fd)
        finally:
            os.close(source_fd)
