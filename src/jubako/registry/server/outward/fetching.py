"""What is being fetched from upstreams now: asked for by many, fetched once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from jubako.registry.server.blobs import Blobs
from jubako.registry.server.config.schema import Upstream
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.outward.download import Download
from jubako.registry.server.outward.upstream import UpstreamCache
from jubako.registry.server.state import State
from jubako.spec.oci_image import Digest

T = TypeVar("T")


class Fetching:
    """Belongs to the event loop."""

    def __init__(self, state: State, blobs: Blobs, manifests: Manifests, upstreams: Iterable[Upstream]) -> None:
        self._state = state
        self._blobs = blobs
        self._upstreams = [UpstreamCache(one, state, manifests) for one in upstreams]
        self._blobs_under_way: dict[tuple[str, str], Download] = {}
        self._manifests_under_way: dict[tuple[str, str], asyncio.Future[None]] = {}

    def upstream_of(self, name: str) -> UpstreamCache | None:
        """The upstream that repository `name` copies; None for one of our own."""
        return next((one for one in self._upstreams if one.covers(name)), None)

    async def manifest(self, upstream: UpstreamCache, name: str, reference: str) -> None:
        """Have here what the upstream means by `reference`."""
        key = (name, reference)
        if key not in self._manifests_under_way:
            loop = asyncio.get_running_loop()
            work = loop.run_in_executor(None, upstream.refresh, name, reference)
            self._manifests_under_way[key] = work
            work.add_done_callback(_forgetting(self._manifests_under_way, key))
        await asyncio.shield(self._manifests_under_way[key])

    def blob(self, upstream: UpstreamCache, name: str, digest: Digest) -> Download:
        """The download of a blob, begun now unless it is under way."""
        key = (name, digest)
        if key not in self._blobs_under_way:
            download = Download(self._state, self._blobs, upstream.repository(name), name, digest)
            self._blobs_under_way[key] = download
            download.done.add_done_callback(_forgetting(self._blobs_under_way, key))
        return self._blobs_under_way[key]


def _forgetting(under_way: dict[tuple[str, str], T], key: tuple[str, str]) -> Callable[[object], None]:
    def forget(done: object) -> None:
        under_way.pop(key, None)

    return forget
