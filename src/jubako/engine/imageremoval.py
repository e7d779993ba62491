"""Taking images away, one name or all that nothing uses, with Docker's answers and refusals."""

from __future__ import annotations

from collections.abc import Callable

from jubako.engine import imagemounts
from jubako.engine.collection import collect
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_image
from jubako.engine.record import RUNNING
from jubako.errors import Conflict
from jubako.image import reference
from jubako.image.catalog import Image, canonical


def remove(drivers: Drivers, text: str, *, force: bool = False, prune: bool = True) -> list[dict[str, str]]:
    """Untag a name, and delete the image with its last name; `prune`: and collect what only it needed."""
    image = drivers.images.resolve(text)
    by_id = _is_id(text, image)
    _refuse_used(drivers, text, image, force=force, by_id=by_id)
    if not by_id and len(image.names) > 1:
        name = reference.parse(text)
        drivers.images.remove(str(name))
        emit_image(drivers, "untag", image, text)
        return [{"Untagged": name.familiar()}]
    if by_id and len(image.names) > 1 and not force:
        raise Conflict(
            f"conflict: unable to delete {image.id.removeprefix('sha256:')[:12]} (must be forced) - "
            "image is referenced in multiple repositories"
        )
    untagged = [{"Untagged": reference.parse(name).familiar()} for name in image.names]
    drivers.images.remove(image.id)
    emit_image(drivers, "delete", image, image.id)
    if prune:
        collect(drivers)
    return [*untagged, {"Deleted": image.id}]


def prune(drivers: Drivers, *, all: bool, accept: Callable[[Image], bool]) -> tuple[list[dict[str, str]], int]:
    """Remove the images that nothing uses, without `all` only those with no name; returns what went and the bytes."""
    used = set(imagemounts.mounted(drivers)).union(*(record.image_ids for _, record in drivers.containers.items()))
    removed: list[dict[str, str]] = []
    for image in drivers.images.list():
        if image.id not in used and (all or not image.names) and accept(image):
            removed += remove(drivers, image.id, force=True, prune=False)
    return removed, collect(drivers)


def _refuse_used(drivers: Drivers, text: str, image: Image, *, force: bool, by_id: bool) -> None:
    """Docker's conflicts: a running container always keeps its image, a stopped one unless `force`."""
    if len(image.names) > 1 and not by_id:
        return
    short = image.id.removeprefix("sha256:")[:12]
    if not force and image.id in imagemounts.mounted(drivers):
        raise Conflict(f"conflict: unable to delete {short} (must be forced) - image is mounted on the host")
    users = [record for _, record in drivers.containers.items() if image.id in record.image_ids]
    for record in sorted(users, key=lambda record: record.phase != RUNNING):
        running = record.phase == RUNNING
        if force and not running:
            continue
        if not by_id and not force:
            raise Conflict(
                f'conflict: unable to remove repository reference "{text}" (must force) - container '
                f"{record.short_id} is using its referenced image {short}"
            )
        must, kind = ("cannot be forced", "running") if running else ("must be forced", "stopped")
        raise Conflict(
            f"conflict: unable to delete {short} ({must}) - image is being used by {kind} container {record.short_id}"
        )


def _is_id(text: str, image: Image) -> bool:
    bare = text.removeprefix("sha256:")
    return image.id.removeprefix("sha256:").startswith(bare) and str(canonical(text)) not in image.names
