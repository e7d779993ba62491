"""Images mounted on the host, read-only, to look into them without a container.

Layout:       RUN_ROOT/images/<image>/root     where it is mounted
              RUN_ROOT/images/<image>/layers   what must stay meanwhile; written before it is mounted
Invariant:    while something is mounted there, collection keeps its layers, whatever becomes of the image.
Concurrency:  many processes; the directory is locked while its mount changes.
Killed:       a directory without a mount means nothing, and the next mount or unmount uses it again. Mount and record
              end with the boot together.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jubako.errors import Conflict, NotFound
from jubako.linux import locks
from jubako.spec import decoding
from jubako.spec.oci_image import DiffID
from jubako.store.failure import explained

if TYPE_CHECKING:
    from jubako.engine.drivers import Drivers
    from jubako.image.catalog import Image

_DIRECTORY = "images"


def mount(drivers: Drivers, image: Image) -> Path:
    """Mount an image whose layers are unpacked; return where, also when it was mounted before."""
    from jubako.engine import ordinary
    from jubako.snapshot.mounted import attach

    ordinary.refuse("image mount", ordinary.MOUNTS)
    with _locked(drivers, image.id, make=True) as directory:
        root = directory / "root"
        if not os.path.ismount(root):
            root.mkdir(mode=0o700, exist_ok=True)
            (directory / "layers").write_bytes(msgspec.json.encode(image.diff_ids))
            attach(drivers.snapshots.view_mounts(image.diff_ids), root)
        return root


def unmount(drivers: Drivers, image_id: str, *, force: bool = False) -> None:
    """Undo it; NotFound where nothing is mounted, Conflict while somebody is in it, unless `force`."""
    from jubako.linux.mount import MNT_DETACH, umount2

    with _locked(drivers, image_id, make=False) as directory:
        root = directory / "root"
        if not os.path.ismount(root):
            raise NotFound("mount", image_id, message=f"image {image_id} is not mounted")
        try:
            umount2(str(root), MNT_DETACH if force else 0)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            raise Conflict(f"image {image_id} is in use at {root}", hint="leave it, or use --force") from None
        with suppress(OSError):
            root.rmdir()
            (directory / "layers").unlink()


def mounted(drivers: Drivers) -> dict[str, Path]:
    """Where which images are mounted, by their IDs."""
    with suppress(FileNotFoundError):
        names = sorted(os.listdir(drivers.run_root / _DIRECTORY))
        roots = {name.replace("-", ":"): drivers.run_root / _DIRECTORY / name / "root" for name in names}
        return {image_id: root for image_id, root in roots.items() if os.path.ismount(root)}
    return {}


def layers(drivers: Drivers) -> set[DiffID]:
    """What collection must leave for the sake of mounts."""
    found: set[DiffID] = set()
    for root in mounted(drivers).values():
        with suppress(FileNotFoundError, msgspec.DecodeError):
            found.update(decoding.decode((root.parent / "layers").read_bytes(), list[DiffID]))
    return found


@contextmanager
def _locked(drivers: Drivers, image_id: str, *, make: bool) -> Iterator[Path]:
    directory = drivers.run_root / _DIRECTORY / image_id.replace(":", "-")
    with explained("write to", directory):
        if make:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NotFound("mount", image_id, message=f"image {image_id} is not mounted") from None
    try:
        locks.wait(fd)
        yield directory
    finally:
        os.close(fd)
