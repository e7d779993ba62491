"""The images that a build stands on: found here or pulled, and kept from collection while it lasts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import msgspec

from jubako.build.progress import BuildProgress, shown_step
from jubako.errors import NotFound
from jubako.image import platform as platforms
from jubako.image.catalog import Image, Images
from jubako.spec.oci_image import Digest, Platform

if TYPE_CHECKING:
    from jubako.store import Lease


class Pull(Protocol):
    """Fetches an image that is not here, or again; raises the kinds of a pull."""

    def __call__(self, text: str, /, platform: str | None = None) -> Image: ...


class Material(msgspec.Struct, frozen=True):
    """An image that was built upon: its manifest's digest."""

    name: str
    platform: Platform
    digest: Digest


class Bases:
    """`materials` are the images that were asked for, each once."""

    def __init__(
        self,
        images: Images,
        lease: Lease,
        pull: Pull | None,
        progress: BuildProgress,
        *,
        always_pull: bool,
    ) -> None:
        self._images = images
        self._lease = lease
        self._pull = pull
        self._progress = progress
        self._always_pull = always_pull
        self.materials: list[Material] = []

    def find(self, name: str, platform: Platform) -> Image:
        """The image of a FROM. Raises NotFound, and the kinds of a pull."""
        image = self._resolve(name, platform)
        self._lease.add(*image.diff_ids, *(layer.digest for layer in image.manifest.layers))
        material = Material(name, platform, image.manifest_digest)
        if material not in self.materials:
            self.materials.append(material)
        return image

    def _resolve(self, name: str, platform: Platform) -> Image:
        if not (self._pull and self._always_pull):
            try:
                return self._local(name, platform)
            except NotFound:
                if self._pull is None:
                    raise
        assert self._pull is not None
        with shown_step(self._progress, f"pulling {name}"):
            return self._pull(name, platform=platforms.text(platform))

    def _local(self, name: str, platform: Platform) -> Image:
        """The image here; for a foreign platform only one that is really for it. Raises NotFound."""
        image = self._images.resolve(name)
        if platform == platforms.host() or platforms.matches(platform, image.platform):
            return image
        with suppress(NotFound):
            other = self._images.load(image.target, platform)
            if platforms.matches(platform, other.platform):
                return other
        found, wanted = platforms.text(image.platform), platforms.text(platform)
        message = f"image {name} is here for {found}, not for the specified platform ({wanted})"
        raise NotFound("image", name, message=message)
