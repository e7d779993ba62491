"""docker export, commit and import: a container's root as an archive or an image, and an archive as an image.

A container that runs is read while it does: its root is seen through a view that leaves out what is mounted in it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from jubako.engine import lifecycle, rootfs, stopping
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_container, emit_image
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import FailedPrecondition, InvalidArgument, NotFound
from jubako.image import platform as platforms
from jubako.image import reference
from jubako.image.compose import write_image
from jubako.snapshot import mounted
from jubako.spec import clock
from jubako.spec.oci_image import (
    LAYER_GZIP,
    ContainerConfig,
    Descriptor,
    DiffID,
    History,
    ImageConfig,
    RootFS,
)

if TYPE_CHECKING:
    from jubako.image.catalog import Image
    from jubako.store import Lease

Edit = Callable[[ContainerConfig], ContainerConfig]


def export(drivers: Drivers, text: str, out: BinaryIO) -> None:
    """Write the whole root of a container, without what is mounted in it, to `out` as a tar."""
    from jubako.image.layer import copy

    record = lifecycle.get(drivers, text)
    rootfs.ensure_snapshot(drivers, record)
    with mounted(drivers.snapshots.view_of(record.id)) as fd:
        copy.archive_root(fd, out)
    emit_container(drivers, record, "export")


def commit(
    drivers: Drivers,
    text: str,
    name: str | None,
    *,
    author: str = "",
    message: str = "",
    edit: Edit = lambda config: config,
    pause: bool | None = None,
) -> Image:
    """Make an image of a container: its image, what it changed in its root, and its own configuration after `edit`.

    Meanwhile it is paused; with `pause` None only where that is possible.
    """
    called = _name(name)
    record = lifecycle.get(drivers, text)
    base = _image_of(drivers, record)
    own = edit(_configuration(record, base.config.config or ContainerConfig()))
    rootfs.ensure_snapshot(drivers, record)
    layers, diff_ids = list(base.manifest.layers), list(base.diff_ids)
    changed = any(drivers.snapshots.upper(record.id).iterdir())
    with drivers.store.leases.hold(f"commit {record.id}") as lease:
        if changed:
            with _still(drivers, record, pause):
                layer, diff_id = _changes_of(drivers, record)
            lease.add(layer.digest)
            layers.append(layer)
            diff_ids.append(diff_id)
        said = History(
            created=clock.stamp(),
            author=author or None,
            created_by=" ".join(record.args),
            comment=message or None,
            empty_layer=not changed,
        )
        config = msgspec.structs.replace(
            base.config,
            created=said.created,
            author=author or base.config.author,
            config=own,
            rootfs=RootFS(diff_ids=diff_ids),
            history=[*(base.config.history or []), said],
            cache=None,
        )
        image = _record(drivers, config, layers, called, lease)
    emit_container(drivers, record, "commit", comment=message, imageID=image.id, imageRef=called or "")
    return image


def import_archive(
    drivers: Drivers,
    source: BinaryIO,
    name: str | None,
    *,
    message: str = "",
    edit: Edit = lambda config: config,
    platform: str | None = None,
) -> Image:
    """Make an image of one layer, which is the archive (compressed or not) in `source`."""
    from jubako.snapshot.unpack import Unpacking

    called = _name(name)
    store, wanted = drivers.store, platforms.parse_given(platform) or platforms.host()
    own = edit(ContainerConfig())
    with (
        store.leases.hold("import") as lease,
        Unpacking(store, drivers.snapshots, lease=lease) as unpacking,
    ):
        layer, diff_id = _layer_of(drivers, source, lease)
        unpacking.begin(diff_id, layer)
        unpacking.finish()
        created = clock.stamp()
        config = ImageConfig(
            created=created,
            architecture=wanted.architecture,
            os=wanted.os,
            variant=wanted.variant,
            config=own,
            rootfs=RootFS(diff_ids=[diff_id]),
            history=[History(created=created, comment=message or None)],
        )
        image = _record(drivers, config, [layer], called, lease)
    emit_image(drivers, "import", image, called or image.id)
    return image


def _name(text: str | None) -> str | None:
    """The whole name of an image to be. InvalidArgument for one with a digest, which it can not be known to have."""
    if not text:
        return None
    parsed = reference.parse(text)
    if parsed.digest:
        raise InvalidArgument(f"refusing to create a tag with a digest reference: {text}")
    return str(parsed)


def _image_of(drivers: Drivers, record: ContainerRecord) -> Image:
    try:
        return drivers.images.resolve(record.image_id)
    except NotFound as error:
        raise NotFound(
            "image", record.image_id, message=f"the image of container {record.name} is gone: {record.image_id}"
        ) from error


def _configuration(record: ContainerRecord, config: ContainerConfig) -> ContainerConfig:
    """How the container runs, as the configuration of an image."""
    options = record.options
    if options.entrypoint is None:
        entrypoint, cmd = config.entrypoint, options.command or config.cmd
    else:
        entrypoint, cmd = options.entrypoint or None, options.command or None
    return msgspec.structs.replace(
        config,
        user=record.user,
        exposed_ports={**(config.exposed_ports or {}), **{port: {} for port in record.exposed}} or None,
        env=record.env or None,
        entrypoint=entrypoint,
        cmd=cmd,
        working_dir=options.workdir or config.working_dir,
        labels=record.labels or None,
        stop_signal=options.stop_signal or config.stop_signal,
        healthcheck=record.healthcheck,
    )


@contextmanager
def _still(drivers: Drivers, record: ContainerRecord, wanted: bool | None) -> Iterator[None]:
    """Hold a running container where it is, unless somebody else does."""
    wanted_here = wanted is not False and record.phase == RUNNING and not record.paused
    paused = wanted_here and _paused(drivers, record, must=wanted is True)
    try:
        yield
    finally:
        if paused:
            stopping.unpause(drivers, record.id)


def _paused(drivers: Drivers, record: ContainerRecord, *, must: bool) -> bool:
    """Pause it, and say whether that was possible: not every container of an ordinary user has a control group."""
    try:
        stopping.pause(drivers, record.id)
    except FailedPrecondition:
        if must:
            raise
        return False
    return True


def _changes_of(drivers: Drivers, record: ContainerRecord) -> tuple[Descriptor, DiffID]:
    from jubako.image.layer import pack_blob

    snapshots = drivers.snapshots
    fd = os.open(snapshots.upper(record.id), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return pack_blob(fd, drivers.store.blobs, xattr_prefix=snapshots.xattr_prefix, live=True)
    finally:
        os.close(fd)


def _layer_of(drivers: Drivers, source: BinaryIO, lease: Lease) -> tuple[Descriptor, DiffID]:
    """The archive as a layer's blob, compressed as ours are."""
    from jubako.image.layer.codec import compressor, decompressed

    digest, packer = hashlib.sha256(), compressor("gzip")
    with drivers.store.blobs.writer() as writer:
        for chunk in decompressed(source):
            digest.update(chunk)
            writer.write(packer.compress(chunk))
        writer.write(packer.flush())
        info = writer.commit()
    lease.add(info.digest)
    return Descriptor(media_type=LAYER_GZIP, digest=info.digest, size=info.size), DiffID(f"sha256:{digest.hexdigest()}")


def _record(drivers: Drivers, config: ImageConfig, layers: list[Descriptor], name: str | None, lease: Lease) -> Image:
    target = write_image(drivers.store, config, layers, lease=lease)
    drivers.images.put(name, target)
    return drivers.images.load(target)
