"""What an imported cache knows: of its own document, or of images that say how they were built."""

from __future__ import annotations

from threading import Event

from jubako.build.graph.filesystem import Output
from jubako.build.remotecache import config
from jubako.build.remotecache.places import Place
from jubako.errors import InvalidArgument
from jubako.image import manifest as documents
from jubako.spec.oci_image import Descriptor, Index, Manifest
from jubako.store import Lease, Store

_MANIFESTS_LIMIT = 64


class Reading:
    """One cache being read. Nothing of it is fetched but documents and configurations."""

    def __init__(self, place: Place, store: Store, lease: Lease, cancel: Event) -> None:
        self._place = place
        self._store = store
        self._lease = lease
        self._cancel = cancel

    def outputs(self) -> dict[str, Output]:
        """All that the cache knows, by key. Raises what makes it unusable."""
        document = self._place.document()
        blobs = document.manifests if isinstance(document, Index) else [document.config, *document.layers]
        for blob in blobs:
            if blob.media_type == config.CACHE_CONFIG:
                return config.decode(self._small(blob), blobs)
        manifests = [document] if isinstance(document, Manifest) else self._manifests(document)
        found: dict[str, Output] = {}
        for manifest in manifests:
            found = {**self._inline(manifest), **found}
        return found

    def _manifests(self, index: Index) -> list[Manifest]:
        children = (self._place.document(child) for child in index.manifests[:_MANIFESTS_LIMIT])
        return [child for child in children if isinstance(child, Manifest)]

    def _inline(self, manifest: Manifest) -> dict[str, Output]:
        """What an image says of how it was built; nothing, if it does not."""
        if not manifest.layers or manifest.layers[0].media_type not in documents.LAYER_TYPES:
            return {}
        image = documents.decode_config(self._small(manifest.config))
        return config.decode_inline(image.cache, manifest.layers, image.rootfs.diff_ids) if image.cache else {}

    def _small(self, blob: Descriptor) -> bytes:
        """The content of a configuration."""
        if blob.size > documents.CONFIG_LIMIT_BYTES:
            raise InvalidArgument(f"the configuration {blob.digest} has {blob.size} bytes")
        self._lease.add(blob.digest)
        self._place.bring(self._store, blob, self._cancel)
        return self._store.blobs.read(blob.digest, limit=documents.CONFIG_LIMIT_BYTES)
