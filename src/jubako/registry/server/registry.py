"""One registry: its state, its door and its settings, as every endpoint gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from jubako.registry.server.access.caller import Caller, pull
from jubako.registry.server.access.guard import Guard
from jubako.registry.server.access.keys import load_key
from jubako.registry.server.access.tokens import Tokens
from jubako.registry.server.accesslog import AccessLog
from jubako.registry.server.blobs import Blobs
from jubako.registry.server.config.schema import Configuration, Log
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.metrics import STRIPE, Metrics
from jubako.registry.server.outbox import Outbox
from jubako.registry.server.outward.fetching import Fetching
from jubako.registry.server.ratelimit import NUMBERS, RateLimiter
from jubako.registry.server.rules import Rules
from jubako.registry.server.shared import Shared, allocate, numbers
from jubako.registry.server.state import State
from jubako.registry.server.uploads import Uploads
from jubako.spec.oci_image import Digest

P = ParamSpec("P")
T = TypeVar("T")


class Registry:
    """What is open for as long as the process serves, and what a reload of the configuration puts in its place."""

    def __init__(self, configuration: Configuration, memory: Shared) -> None:
        counters = numbers(memory)
        stripes = STRIPE * memory.processes
        self.metrics = Metrics(counters[:stripes], memory.process, memory.processes)
        self._buckets, self._key = counters[stripes:], memory.key
        self.access_log = AccessLog(Log())
        self.state = State(configuration.root, configuration.storage)
        self.blobs = Blobs(self.state)
        self.manifests = Manifests(self.state)
        self.uploads = Uploads(self.state, self.blobs)
        self.reloaded = asyncio.Event()
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to deliver; upkeep listens."""
        self.apply(configuration)

    def apply(self, configuration: Configuration) -> None:
        """Serve by `configuration` from the next request on. When that fails, nothing has changed."""
        service = configuration.access.token_service
        tokens = Tokens(load_key(configuration.root), service) if service else None
        certificates = configuration.tls is not None and configuration.tls.client_authorities is not None
        guard = Guard(configuration.access, tokens, certificates=certificates)
        access_log = AccessLog(configuration.log)
        self.access_log.close()
        self.access_log = access_log
        self.limiter = RateLimiter(configuration.limits, self._buckets, self._key)
        self.guard = guard
        self.fetching = Fetching(self.state, self.blobs, self.manifests, configuration.upstreams)
        self.configuration = configuration
        self.state.rules = Rules(configuration.repositories, sparse=configuration.sparse_manifests)
        self.state.outbox = Outbox(configuration.webhooks, configuration.peers, lambda: self.wake())
        self.reloaded.set()

    def may_see(self, caller: Caller, name: str) -> bool:
        """Whether a list of repositories shows `name`: by the policy, since a token lists only what it was made for."""
        return self.guard.is_open or self.guard.policy.allows(caller, pull(name))

    async def manifest(self, digest: Digest) -> bytes:
        """The bytes of a manifest that a repository has; storage may be far away."""
        known = self.manifests.in_memory(digest)
        return await in_thread(self.manifests.read, digest) if known is None else known

    def close(self) -> None:
        self.access_log.close()
        self.state.close()


def memory_for(configuration: Configuration) -> Shared:
    """Memory for all processes that are to serve by `configuration`."""
    return allocate(configuration.processes, STRIPE * configuration.processes + NUMBERS)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what hashes, syncs or waits for a lock off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(None, lambda: function(*args, **kwargs))
