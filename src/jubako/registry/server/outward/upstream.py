"""Copies of an upstream's repositories, fetched when somebody wants them.

Tags:       are looked up again after their lifetime, by a HEAD that costs the upstream little; while the upstream is
            away, or answers that we ask too often, what we have is served.
Manifests:  come from the upstream by digest or tag, and are checked; their blobs need not be here yet.
Invariant:  nothing is stored that does not hash to its digest.
"""

from __future__ import annotations

from jubako.errors import NotFound, ResourceExhausted, Unavailable
from jubako.image.manifest import MALFORMED
from jubako.image.reference import is_digest
from jubako.registry.client.repository import Repository
from jubako.registry.server.config.schema import Upstream
from jubako.registry.server.documents import Tag, in_repository, tag_key
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.outward.remote import RemoteRegistry
from jubako.registry.server.state import State, put
from jubako.spec import decoding
from jubako.spec.distribution import TagList
from jubako.spec.oci_image import Digest


class UpstreamCache:
    """The repositories below one prefix. Threads may share it."""

    def __init__(self, settings: Upstream, state: State, manifests: Manifests) -> None:
        self._settings = settings
        self._remote = RemoteRegistry(settings)
        self._state = state
        self._manifests = manifests

    def covers(self, name: str) -> bool:
        return name.startswith(self._settings.prefix + "/")

    def repository(self, name: str) -> Repository:
        """The upstream's repository that `name` is a copy of."""
        return self._remote.repository(self.name_there(name))

    def name_there(self, name: str) -> str:
        return name.removeprefix(self._settings.prefix + "/")

    def refresh(self, name: str, reference: str) -> None:
        """Have here what `reference` means upstream now. Raises NotFound, and Unavailable when we have none either."""
        if is_digest(reference):
            if self._state.read.manifests.find(in_repository(name, reference)) is None:
                self._fetch(name, reference)
            return
        known = self._state.read.tags.find(tag_key(name, reference))
        if known is not None and self._state.clock() - known.checked < self._settings.tag_lifetime:
            return
        try:
            if known is None or self.repository(name).manifest_digest(reference) != known.digest:
                known = Tag(self._fetch(name, reference), self._state.clock())
        except (ResourceExhausted, Unavailable):
            if known is None:
                raise
            return
        self._note(name, reference, known)

    def tags(self, name: str, query: str) -> tuple[TagList, str]:
        """Return the upstream's list of tags, as it answers for `query`, and its Link to more."""
        there = self.name_there(name)
        response, data = next(self.repository(name).pages(f"tags/list{f'?{query}' if query else ''}"))
        link = response.headers.get("Link", "").replace(f"/v2/{there}/", f"/v2/{name}/", 1)
        try:
            found = decoding.decode(data, TagList)
        except MALFORMED as error:
            raise Unavailable(f"the list of tags of {there} is none: {error}") from error
        return TagList(name, found.tags or []), link

    def _fetch(self, name: str, reference: str) -> Digest:
        target, data = self.repository(name).manifest(reference)
        self._manifests.put(name, target.digest, target.media_type, data, sparse=True)
        return target.digest

    def _note(self, name: str, tag: str, known: Tag) -> None:
        """Record that the upstream has just said what `tag` means."""
        checked = Tag(known.digest, known.pushed, self._state.clock())
        with self._state.store.records.transaction():
            if self._state.write.manifests.find(in_repository(name, known.digest)) is None:
                raise NotFound("manifest", tag)
            put(self._state.write.tags, tag_key(name, tag), checked)
