"""Images as the engine's callers see them: pull, push, load, save, tag, remove, inspect, history, prune."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from jubako.engine import clock
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit
from jubako.engine.record import RUNNING
from jubako.errors import Conflict, InvalidArgument, NotFound
from jubako.image import reference
from jubako.image.catalog import Image
from jubako.spec.oci_image import ContainerConfig

if TYPE_CHECKING:
    from jubako.engine.imagetree import Variant
    from jubako.image.progress import Progress
    from jubako.registry.client import ClientOptions, Credentials
    from jubako.spec.oci_image import Descriptor, Platform


ArchiveFormat = Literal["docker-archive", "oci-archive"]

# Inside the classes, `list` is a method.
_Images = list[Image]
_Removed = list[dict[str, str]]
_Rows = list[dict[str, Any]]


class EngineImages:
    """`engine.images`."""

    def __init__(self, drivers: Drivers) -> None:
        self._drivers = drivers

    def get(self, text: str) -> Image:
        """The image of this name or ID; raises NotFound with Docker's words."""
        return self._drivers.images.resolve(text)

    def list(self) -> list[Image]:
        """Every image once, newest first."""
        return self._drivers.images.list()

    def ensure(
        self, text: str, *, pull: str = "missing", platform: str | None = None, progress: Progress | None = None
    ) -> Image:
        """The local image, pulled first where `pull` ("always", "missing", "never") says so; its layers unpacked."""
        if pull not in ("always", "missing", "never"):
            raise InvalidArgument(f'invalid pull option: \'{pull}\': must be one of "always", "missing" or "never"')
        if pull == "always":
            return self.pull(text, platform=platform, progress=progress)
        try:
            image = self._drivers.images.resolve(text)
        except NotFound:
            if pull == "never":
                raise NotFound("image", reference.parse(text).familiar()) from None
            return self.pull(text, platform=platform, progress=progress)
        self._unpack(image, progress)
        return image

    def pull(
        self,
        text: str,
        *,
        platform: str | None = None,
        all_platforms: bool = False,
        credentials: Credentials | None = None,
        options: ClientOptions | None = None,
        progress: Progress | None = None,
    ) -> Image:
        """Fetch an image from its registry and unpack it; with `all_platforms` all that an index leads to is kept."""
        from jubako.engine import transfers

        image = transfers.pull(
            self._drivers,
            text,
            platform=platform,
            all_platforms=all_platforms,
            credentials=credentials,
            options=options,
            progress=progress,
        )
        self._emit("pull", image, text)
        return image

    def push(
        self,
        text: str,
        *,
        platform: str | None = None,
        credentials: Credentials | None = None,
        options: ClientOptions | None = None,
        progress: Progress | None = None,
    ) -> Descriptor:
        """Send the image called `text`, or its manifest for `platform` alone, to the registry that the name says."""
        from jubako.engine import transfers

        image = self.get(text)
        pushed = transfers.push(
            self._drivers,
            image,
            text,
            platform=platform,
            credentials=credentials,
            options=options,
            progress=progress,
        )
        self._emit("push", image, text)
        return pushed

    def load(
        self, source: BinaryIO | Path, *, platform: str | None = None, progress: Progress | None = None
    ) -> _Images:
        """Bring in a docker-archive, an oci-archive or an OCI layout, or only what is in it for `platform`."""
        from jubako.image import archive
        from jubako.snapshot.unpack import Unpacking

        drivers = self._drivers
        with (
            drivers.store.leases.hold("load") as lease,
            Unpacking(drivers.store, drivers.snapshots, lease=lease, progress=progress) as unpacking,
        ):
            images = archive.load(
                drivers.store,
                source,
                drivers.images,
                progress=progress,
                on_layer=unpacking.begin,
                ready=unpacking.finish,
                platform=_platform(platform),
            )
        for image in images:
            self._emit("load", image, image.id)
        return images

    def save(
        self,
        names: Sequence[str],
        out: BinaryIO,
        *,
        format: ArchiveFormat = "docker-archive",
        platform: str | None = None,
    ) -> None:
        """Write images to one archive, of those for several platforms all or the one that `platform` names."""
        from jubako.image import archive

        for name in names:
            self.get(name)
        archive.save(self._drivers.store, self._drivers.images, names, out, format=format, platform=_platform(platform))

    def tag(self, source: str, target: str) -> None:
        """Give an image one more name."""
        image = self.get(source)
        parsed = reference.parse(target)
        if parsed.digest:
            raise InvalidArgument(f"refusing to create a tag with a digest reference: {target}")
        self._drivers.images.put(str(parsed), image.target)
        self._emit("tag", image, target)

    def remove(self, text: str, *, force: bool = False, prune: bool = True) -> _Removed:
        """Untag a name, and delete the image with its last name; Docker's answer, [{"Untagged": …}, {"Deleted": …}]."""
        image = self.get(text)
        by_id = _is_id(text, image)
        self._refuse_used(text, image, force=force, by_id=by_id)
        if not by_id and len(image.names) > 1:
            name = reference.parse(text)
            self._drivers.images.remove(str(name))
            self._emit("untag", image, text)
            return [{"Untagged": name.familiar()}]
        if by_id and len(image.names) > 1 and not force:
            raise Conflict(
                f"conflict: unable to delete {image.id.removeprefix('sha256:')[:12]} (must be forced) - "
                "image is referenced in multiple repositories"
            )
        untagged = [{"Untagged": reference.parse(name).familiar()} for name in image.names]
        self._drivers.images.remove(image.id)
        self._emit("delete", image, image.id)
        if prune:
            from jubako.engine.collection import collect

            collect(self._drivers)
        return [*untagged, {"Deleted": image.id}]

    def _refuse_used(self, text: str, image: Image, *, force: bool, by_id: bool) -> None:
        """Docker's conflicts: a running container always keeps its image, a stopped one unless `force`."""
        if len(image.names) > 1 and not by_id:
            return
        short = image.id.removeprefix("sha256:")[:12]
        if not force and image.id in self.mounts():
            raise Conflict(f"conflict: unable to delete {short} (must be forced) - image is mounted on the host")
        users = [record for _, record in self._drivers.containers.items() if image.id in record.image_ids]
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
                f"conflict: unable to delete {short} ({must}) - image is being used by {kind} "
                f"container {record.short_id}"
            )

    def variants(self, image: Image) -> Sequence[Variant]:
        """What the image is for which platform, and how much of that is here."""
        from jubako.engine import imagetree

        return imagetree.variants(self._drivers, image)

    def mount(self, text: str) -> Path:
        """Mount an image on the host, read-only; return where. Mounting it again is content."""
        from jubako.engine import imagemounts

        image = self.ensure(text, pull="never")
        with self._drivers.store.leases.hold(f"mount {image.id}") as lease:
            lease.add(*image.diff_ids)
            return imagemounts.mount(self._drivers, image)

    def unmount(self, text: str, *, force: bool = False) -> None:
        """Undo mount(); NotFound where the image is not mounted, Conflict while it is in use, unless `force`."""
        from jubako.engine import imagemounts

        known = imagemounts.mounted(self._drivers)
        imagemounts.unmount(self._drivers, text if text in known else self.get(text).id, force=force)

    def mounts(self) -> dict[str, Path]:
        """Where which images are mounted, by their IDs."""
        from jubako.engine import imagemounts

        return imagemounts.mounted(self._drivers)

    def history(self, text: str, *, platform: str | None = None) -> _Rows:
        """Docker's history, newest first; sizes are those of the (compressed) layers."""
        image = self._drivers.images.of_platform(self.get(text), _platform(platform))
        layers = iter(image.manifest.layers)
        rows: _Rows = []
        for entry in image.config.history or []:
            size = 0 if entry.empty_layer else getattr(next(layers, None), "size", 0)
            rows.append(
                {
                    "Id": "<missing>",
                    "Created": entry.created or clock.ZERO,
                    "CreatedBy": entry.created_by or "",
                    "Size": size,
                    "Comment": entry.comment or "",
                    "Tags": None,
                }
            )
        rows.reverse()
        if rows:
            rows[0] |= {"Id": image.id, "Tags": image.repo_tags or None}
        return rows

    def inspect(self, text: str, *, platform: str | None = None) -> dict[str, Any]:
        """The document of `GET /images/{name}/json`."""
        import msgspec

        image = self._drivers.images.of_platform(self.get(text), _platform(platform))
        config = image.config.config or ContainerConfig()
        return {
            "Id": image.id,
            "RepoTags": image.repo_tags,
            "RepoDigests": image.repo_digests,
            "Parent": "",
            "Comment": image.config.history[-1].comment or "" if image.config.history else "",
            "Created": image.config.created or clock.ZERO,
            "Author": image.config.author or "",
            "Config": msgspec.to_builtins(config),
            "Architecture": image.config.architecture,
            "Os": image.config.os,
            "Size": image.size_bytes,
            "GraphDriver": {"Name": "overlay2", "Data": None},
            "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
            "Metadata": {"LastTagTime": clock.ZERO},
        }

    def prune(self, *, all: bool = False, accept: Callable[[Image], bool] = lambda image: True) -> tuple[_Removed, int]:
        """Remove dangling images (with `all`, every image that no container uses); returns what went and the bytes.

        Only those that `accept` is true of; never one that is mounted.
        """
        from jubako.engine.collection import collect

        used = set(self.mounts()).union(*(record.image_ids for _, record in self._drivers.containers.items()))
        removed: _Removed = []
        for image in self.list():
            if image.id not in used and (all or not image.names) and accept(image):
                removed += self.remove(image.id, force=True, prune=False)
        return removed, collect(self._drivers)

    def bootstrap(
        self, name: str, *, include: Sequence[str] = (), mirror: str | None = None, tag: str | None = None
    ) -> Image:
        """Make a base image from a distribution's packages, or from busybox-static."""
        from jubako.engine.bootstrap import bootstrap

        image = bootstrap(self._drivers, name, include=include, mirror=mirror, tag=tag)
        self._emit("import", image, name)
        return image

    def _unpack(self, image: Image, progress: Progress | None) -> None:
        snapshots = self._drivers.snapshots
        if all(snapshots.has_layer(diff_id) for diff_id in image.diff_ids):
            return
        from jubako.snapshot import unpack

        with self._drivers.store.leases.hold(f"unpack {image.id}") as lease:
            unpack.ensure(self._drivers.store, snapshots, image, progress=progress, lease=lease)

    def _emit(self, action: str, image: Image, name: str) -> None:
        with self._drivers.store.records.transaction():
            emit(
                self._drivers,
                "image",
                action,
                name,
                {"name": name, **((image.config.config or ContainerConfig()).labels or {})},
            )


def _platform(text: str | None) -> Platform | None:
    from jubako.image import platform

    return platform.parse(text) if text else None


def _is_id(text: str, image: Image) -> bool:
    bare = text.removeprefix("sha256:")
    return image.id.removeprefix("sha256:").startswith(bare) and str(reference_or_none(text)) not in image.names


def reference_or_none(text: str) -> str | None:
    """The canonical name of `text`, or None where it is none."""
    try:
        return str(reference.parse(text).canonical())
    except InvalidArgument:
        return None
