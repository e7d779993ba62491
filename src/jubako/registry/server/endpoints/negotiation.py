"""Which manifest a client means that was written before there were indexes.

Docker's registry answers it with the image for linux/amd64. Everybody else gets what the tag names, whatever Accept
says: the specification has clients list all that they can read, and many leave some of it out.
"""

from __future__ import annotations

from aiohttp import web

from jubako.errors import NotFound
from jubako.image import manifest as documents
from jubako.image import platform
from jubako.image.reference import is_digest
from jubako.registry.server.documents import ManifestEntry
from jubako.registry.server.registry import Registry
from jubako.registry.server.routes import Route
from jubako.spec.oci_image import INDEX_TYPES, MANIFEST_TYPES, Digest, Index, Platform

_BEFORE_INDEXES = Platform(os="linux", architecture="amd64")


async def negotiated(registry: Registry, request: web.BaseRequest, route: Route) -> tuple[Digest, ManifestEntry]:
    """Return the manifest that a request for `route` should get; NotFound."""
    digest, entry = registry.manifests.resolve(route.name, route.reference)
    if entry.media_type not in INDEX_TYPES or is_digest(route.reference) or _knows_indexes(request):
        return digest, entry
    document = documents.decode(await registry.manifest(digest), entry.media_type)
    if isinstance(document, Index):
        try:
            return registry.manifests.resolve(route.name, platform.select(document, _BEFORE_INDEXES).digest)
        except NotFound:
            pass
    return digest, entry


def _knows_indexes(request: web.BaseRequest) -> bool:
    named = ",".join(request.headers.getall("Accept", []))
    accepted = {entry.partition(";")[0].strip() for entry in named.split(",")}
    return not (accepted & MANIFEST_TYPES) or bool(accepted & (INDEX_TYPES | {"*/*", "application/*"}))
