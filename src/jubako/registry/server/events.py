"""What happened in a registry, for whoever is to be told."""

from __future__ import annotations

import msgspec

from jubako.registry.server.config.schema import Event as Action
from jubako.spec.oci_image import Digest


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """A manifest was pushed, or a manifest or tag was deleted, by `user` at `at` (seconds since the epoch)."""

    id: str
    action: Action
    at: float
    repository: str
    digest: Digest | None = None
    tag: str | None = None
    media_type: str = ""
    size: int = 0
    user: str = ""
