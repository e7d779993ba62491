"""One registry: its state, its door and its settings, as every endpoint gets it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from jubako.registry.server.access import Guard
from jubako.registry.server.blobs import Blobs
from jubako.registry.server.htpasswd import Htpasswd
from jubako.registry.server.manifests import Manifests
from jubako.registry.server.state import State
from jubako.registry.server.tokens import Tokens, load_key
from jubako.registry.server.uploads import Uploads

P = ParamSpec("P")
T = TypeVar("T")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How `jubako registry serve` was asked to serve."""

    root: Path
    listen: str = "127.0.0.1:5000"
    htpasswd: Path | None = None
    token_auth: bool = False
    anonymous_pull: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    drain_s: float = 30.0


class Registry:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.state = State(options.root)
        self.blobs = Blobs(self.state)
        self.manifests = Manifests(self.state)
        self.uploads = Uploads(self.state, self.blobs)
        users = Htpasswd(options.htpasswd) if options.htpasswd else None
        tokens = Tokens(load_key(options.root), "jubako-registry") if options.token_auth else None
        self.guard = Guard(users, tokens, anonymous_pull=options.anonymous_pull)

    def close(self) -> None:
        self.state.close()


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what hashes, syncs or waits for a lock off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(None, lambda: function(*args, **kwargs))
