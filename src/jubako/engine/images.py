"""Images as the engine's callers see them: pull, push, load, save, tag, remove, inspect, history, prune."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_image
from jubako.errors import InvalidArgument, NotFound
from jubako.image import platform as platforms
from jubako.image import reference
from jubako.image.catalog import Image

if TYPE_CHECKING:
    from jubako.engine.imagetree import Variant
    from jubako.engine.imaging import Edit
    from jubako.image.progress import Progress
    from jubako.registry.client import ClientOptions, Credentials
    from jubako.spec.oci_image import Descriptor


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
        wanted = platforms.parse_given(platform)
        try:
            image = self._drivers.images.of_platform(self._drivers.images.resolve(text), wanted)
        except NotFound as error:
            if pull == "never" and error.what == "platform":
                raise
            if pull == "never":
                raise NotFound("image", reference.parse(text).familiar()) from None
            return self.pull(text, platform=platform, progress=progress)
        self._unpack(image, progress)
        return image

    def ensure_mounted(self, names: Iterable[str]) -> None:
        """Have the layers of images that a container mounts unpacked; InvalidArgument for one that is not here."""
        for name in names:
            try:
                self.ensure(name, pull="never")
            except NotFound as error:
                why = f'invalid mount config for type "image": {error.message}'
                raise InvalidArgument(why, hint=f"jubako pull {name}") from None

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
        emit_image(self._drivers, "pull", image, text)
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
        emit_image(self._drivers, "push", image, text)
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
                on_layer=partial(unpacking.begin, doubted=True),
                ready=unpacking.finish,
                platform=platforms.parse_given(platform),
            )
        for image in images:
            emit_image(self._drivers, "load", image, image.id)
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
        wanted = platforms.parse_given(platform)
        archive.save(self._drivers.store, self._drivers.images, names, out, format=format, platform=wanted)

    def commit(
        self,
        container: str,
        name: str | None = None,
        *,
        author: str = "",
        message: str = "",
        edit: Edit = lambda config: config,
        pause: bool | None = None,
    ) -> Image:
        """Make an image of a container and what it changed; `edit` has the last word on the image's configuration."""
        from jubako.engine import imaging

        return imaging.commit(self._drivers, container, name, author=author, message=message, edit=edit, pause=pause)

    def import_archive(
        self,
        source: BinaryIO,
        name: str | None = None,
        *,
        message: str = "",
        edit: Edit = lambda config: config,
        platform: str | None = None,
    ) -> Image:
        """Make an image of one layer, the tar in `source`; `edit` has the last word on its configuration."""
        from jubako.engine import imaging

        return imaging.import_archive(self._drivers, source, name, message=message, edit=edit, platform=platform)

    def tag(self, source: str, target: str) -> None:
        """Give an image one more name."""
        image = self.get(source)
        parsed = reference.parse(target)
        if parsed.digest:
            raise InvalidArgument(f"refusing to create a tag with a digest reference: {target}")
        self._drivers.images.put(str(parsed), image.target)
        emit_image(self._drivers, "tag", image, target)

    def remove(self, text: str, *, force: bool = False, prune: bool = True) -> _Removed:
        """Untag a name, and delete the image with its last name; Docker's answer, [{"Untagged": …}, {"Deleted": …}]."""
        from jubako.engine import imageremoval

        return imageremoval.remove(self._drivers, text, force=force, prune=prune)

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
        from jubako.engine import imagedocuments

        return imagedocuments.history(self._of_platform(text, platform))

    def inspect(self, text: str, *, platform: str | None = None) -> dict[str, Any]:
        """The document of `GET /images/{name}/json`."""
        from jubako.engine import imagedocuments

        return imagedocuments.inspect(self._of_platform(text, platform))

    def _of_platform(self, text: str, platform: str | None) -> Image:
        return self._drivers.images.of_platform(self.get(text), platforms.parse_given(platform))

    def prune(self, *, all: bool = False, accept: Callable[[Image], bool] = lambda image: True) -> tuple[_Removed, int]:
        """Remove dangling images (with `all`, every image that no container uses); returns what went and the bytes.

        Only those that `accept` is true of; never one that is mounted.
        """
        from jubako.engine import imageremoval

        return imageremoval.prune(self._drivers, all=all, accept=accept)

    def bootstrap(
        self, name: str, *, include: Sequence[str] = (), mirror: str | None = None, tag: str | None = None
    ) -> Image:
        """Make a base image from a distribution's packages, or from busybox-static."""
        from jubako.engine.bootstrap import bootstrap

        image = bootstrap(self._drivers, name, include=include, mirror=mirror, tag=tag)
        emit_image(self._drivers, "import", image, name)
        return image

    def _unpack(self, image: Image, progress: Progress | None) -> None:
        snapshots = self._drivers.snapshots
        if all(snapshots.has_layer(diff_id) for diff_id in image.diff_ids):
            return
        from jubako.snapshot import unpack

        with self._drivers.store.leases.hold(f"unpack {image.id}") as lease:
            unpack.ensure(self._drivers.store, snapshots, image, progress=progress, lease=lease)
