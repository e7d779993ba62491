"""Which images there are, and under which names.

Model:       one record per image ID (the digest of its configuration), holding every name with the target it was put
             with, the manifests behind those targets, and the configuration: `run` reads one record and no blob.
             A record without names is a dangling image; it goes by remove() or prune, never by itself.
Names:       canonical reference strings, unique across records. Putting a name that another image holds moves it.
Concurrency: changes are one short transaction; documents are read from blobs before it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from jubako.errors import InvalidArgument, JubakoError, NotFound
from jubako.image import manifest as documents
from jubako.image import platform as platforms
from jubako.image import reference
from jubako.image.record import (
    Image,
    ImageRecord,
    NameRecord,
    content_of,
    entries,
    has_other_tags,
    image_of,
    with_entry,
)
from jubako.spec.oci_image import Descriptor, Digest, Index, Platform

if TYPE_CHECKING:
    from jubako.store import Store

__all__ = ["Image", "Images", "canonical"]

_COLLECTION = "image"
_FULL_ID = r"(?:sha256:)?[a-f0-9]{64}|sha512:[a-f0-9]{128}"

Names = list[str]
"""Images has a method called list, which hides the type inside it."""


Named = list[tuple[Image, str | None]]


class Images:
    """The image records of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._records = store.records.collection(_COLLECTION, ImageRecord)

    def load(self, target: Descriptor, platform: Platform | None = None) -> Image:
        """The image that the stored `target` describes (of an index, the one for `platform`), whether named or not."""
        chosen, manifest = documents.resolve(self._store, target, platform)
        config = documents.read_config(self._store, manifest.config)
        if len(config.rootfs.diff_ids) != len(manifest.layers):
            raise InvalidArgument(
                f"{chosen.digest} lists {len(manifest.layers)} layers, its configuration {len(config.rootfs.diff_ids)}"
            )
        record = self._records.find(manifest.config.digest)
        names = list(record.names) if record else []
        return Image(manifest.config.digest, names, target, manifest, chosen.digest, config)

    def of_platform(self, image: Image, platform: Platform | None) -> Image:
        """The image for `platform` among those that `image` is one of, itself for None. NotFound in Docker's words."""
        if platform is None:
            return image
        try:
            found = self.load(image.target, platform)
        except NotFound:
            found = image
        if not platforms.matches(platform, found.platform):
            text, name = (
                platforms.text(platform),
                reference.parse(image.names[0]).familiar() if image.names else image.id,
            )
            raise NotFound(
                "platform",
                text,
                message=f"image with reference {name} was found but does not provide the specified platform ({text})",
            )
        return msgspec.structs.replace(found, names=image.names)

    def put(self, name: str | None, target: Descriptor, *, platform: Platform | None = None) -> Descriptor | None:
        """Record the stored image `target` under `name`; None records it without one, as dangling.

        Returns what the name pointed to before. The image that loses the name stays, dangling if it has no other.
        """
        key = str(reference.parse(name).canonical()) if name else None
        image = self.load(target, platform)
        manifest = _descriptor_of_manifest(image, target, self._store)
        entry = NameRecord(target, manifest)
        with self._store.records.transaction():
            previous = self._take_name(key, image.id) if key else None
            present = self._records.find(image.id)
            self._write(image.id, with_entry(present, image, key, entry), exists=present is not None)
        return previous

    def resolve(self, text: str) -> Image:
        """The image called `text`: a name, name@digest, or a full or unambiguous short ID. Raises NotFound."""
        if re.fullmatch(_FULL_ID, text):
            return self._by_id(text)
        try:
            wanted = reference.parse(text).canonical()
        except InvalidArgument:
            if re.fullmatch(r"sha256:[a-f0-9]+", text):
                return self._by_short_id(text)
            raise
        found = self._records.by_unique(str(wanted))
        if found:
            return image_of(*found, name=str(wanted))
        return self._by_digest(text, wanted) if wanted.digest else self._by_short_id(text)

    def list(self) -> list[Image]:
        """Every image once, newest first as its configuration dates it; dangling ones have no names."""
        images = [image_of(key, record) for key, record in self._records.items()]
        return sorted(images, key=lambda image: image.config.created or "", reverse=True)

    def names_of(self, image_id: str) -> Names:
        record = self._records.find(_full_id(image_id))
        return list(record.names) if record else []

    def select(self, text: str) -> Named:
        """What `text` means to `save`, with the name to save it under: all tags of a repository, a name, or an ID."""
        if not re.fullmatch(_FULL_ID, text) and "@" not in text:
            wanted = reference.parse(text)
            if wanted.tag == reference.DEFAULT_TAG and not text.endswith(":latest"):
                found = self._of_repository(wanted.name)
                if found:
                    return found
        image = self.resolve(text)
        name = canonical(text)
        return [(image, name if name in image.names else None)]

    def _of_repository(self, repository: str) -> Named:
        found: Named = [
            (image_of(key, record, name=name), name)
            for key, record in self._records.items()
            for name in record.names
            if name.startswith(repository) and reference.parse(name).name == repository and "@" not in name
        ]
        return sorted(found, key=lambda pair: pair[1] or "")

    def manifest_descriptor(self, image: Image) -> Descriptor:
        """The manifest that `image` is, also where its target is an index."""
        found = self._records.find(image.id)
        for entry in entries(found) if found else ():
            if entry.manifest.digest == image.manifest_digest:
                return entry.manifest
        return _descriptor_of_manifest(image, image.target, self._store)

    def untag(self, name: str) -> bool:
        """Take `name` away and keep the image, dangling if that was its last name."""
        found = self._records.by_unique(str(reference.parse(name).canonical()))
        if not found:
            return False
        with self._store.records.transaction():
            return self._take_name(str(reference.parse(name).canonical()), None) is not None

    def remove(self, name: str) -> bool:
        """Remove a name, and the image with its last name; or, by full ID, an image with all its names.

        Blobs stay until they are collected.
        """
        if re.fullmatch(_FULL_ID, name):
            return self._records.delete(_full_id(name))
        key = str(reference.parse(name).canonical())
        with self._store.records.transaction():
            found = self._records.by_unique(key)
            if not found:
                return False
            image_id, record = found
            if not has_other_tags(record, key):
                return self._records.delete(image_id)
            return self._take_name(key, None) is not None

    def reachable(self) -> set[Digest]:
        """Every blob that some recorded image needs, through manifests and the children of indexes."""
        found: set[Digest] = set()
        for _, record in self._records.items():
            for manifest in record.manifests.values():
                found.update(content_of(manifest))
                if isinstance(manifest.subject, Descriptor):
                    self._walk(manifest.subject, found)
            for entry in entries(record):
                found.add(entry.manifest.digest)
                self._walk(entry.target, found)
        return found

    def _walk(self, target: Descriptor, found: set[Digest]) -> None:
        """Add `target` and what hangs on it; children that were never fetched are not there, and that is fine."""
        if target.digest in found:
            return
        found.add(target.digest)
        try:
            document = documents.read(self._store, target)
        except JubakoError:
            return
        if isinstance(document.subject, Descriptor):
            self._walk(document.subject, found)
        if isinstance(document, Index):
            for child in document.manifests:
                self._walk(child, found)
        else:
            found.update(content_of(document))

    def _take_name(self, key: str, keep_on: str | None) -> Descriptor | None:
        """Detach the name from whatever image has it, unless that is `keep_on`; return its target."""
        found = self._records.by_unique(key)
        if not found:
            return None
        image_id, record = found
        if image_id != keep_on:
            names = {name: entry for name, entry in record.names.items() if name != key}
            nameless = record.nameless if names else record.names[key]
            self._write(image_id, msgspec.structs.replace(record, names=names, nameless=nameless), exists=True)
        return record.names[key].target

    def _write(self, image_id: str, record: ImageRecord, *, exists: bool) -> None:
        used = {entry.manifest.digest for entry in entries(record)}
        lean = msgspec.structs.replace(record, manifests={d: m for d, m in record.manifests.items() if d in used})
        if exists:
            self._records.replace(image_id, lean, unique=list(lean.names))
        else:
            self._records.insert(image_id, lean, unique=list(lean.names))

    def _by_id(self, text: str) -> Image:
        record = self._records.find(_full_id(text))
        if record is None:
            raise NotFound("image", text)
        return image_of(_full_id(text), record)

    def _by_short_id(self, text: str) -> Image:
        prefix = text.removeprefix("sha256:")
        if not re.fullmatch(r"[a-f0-9]{1,63}", prefix):
            raise NotFound("image", _with_tag(text))
        keys = self._records.keys(f"sha256:{prefix}")
        if len(keys) > 1:
            raise NotFound("image", text, hint=f"{len(keys)} image IDs begin with {prefix}: give more of it")
        if not keys:
            raise NotFound("image", _with_tag(text))
        return self._by_id(keys[0])

    def _by_digest(self, text: str, wanted: reference.Reference) -> Image:
        """A digest that was never put as a name of its own: look at what the repository's tags point to."""
        for key, record in self._records.items():
            for name, entry in record.names.items():
                same = wanted.digest in (entry.target.digest, entry.manifest.digest)
                if same and reference.parse(name).name == wanted.name:
                    return image_of(key, record, name=name)
        raise NotFound("image", text)


def canonical(text: str) -> str | None:
    """The name that `text` would be recorded under, or None if it can only be an ID."""
    try:
        return str(reference.parse(text).canonical())
    except InvalidArgument:
        return None


def _descriptor_of_manifest(image: Image, target: Descriptor, store: Store) -> Descriptor:
    if image.manifest_digest == target.digest:
        return target
    size = store.blobs.stat(image.manifest_digest).size
    return Descriptor(media_type=documents.media_type_of(image.manifest), digest=image.manifest_digest, size=size)


def _full_id(text: str) -> str:
    return text if ":" in text else f"sha256:{text}"


def _with_tag(text: str) -> str:
    """Docker names the tag that it looked for."""
    try:
        return reference.parse(text).familiar()
    except InvalidArgument:
        return text
