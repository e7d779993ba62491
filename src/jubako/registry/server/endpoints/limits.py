"""How long an upload may become: by the configuration, and by what the quota of its repository has left."""

from __future__ import annotations

from jubako.registry.server.documents import in_repository
from jubako.registry.server.refusal import Refused
from jubako.registry.server.registry import Registry
from jubako.registry.server.usage import over_quota, used
from jubako.spec.distribution import Code


class Limits:
    """Lengths, each with what a longer upload is refused with."""

    def __init__(self) -> None:
        self._limits: list[tuple[int, Refused]] = []

    def add(self, length: int, refusal: Refused) -> None:
        self._limits.append((length, refusal))

    def check(self, length: int) -> None:
        for limit, refusal in self._limits:
            if length > limit:
                raise refusal


def limits_of(registry: Registry, name: str, digest: str | None = None) -> Limits:
    """The limits of an upload to `name`; what the repository has already, by its `digest`, takes no room."""
    limits, longest = Limits(), registry.configuration.limits.blob
    if longest is not None:
        message = f"a blob may have at most {longest} bytes here"
        limits.add(longest, Refused(Code.SIZE_INVALID, message, status=413))
    quota = registry.state.rules.quota(name)
    if quota is not None and not (digest and registry.state.read.blobs.find(in_repository(name, digest))):
        limits.add(quota - used(registry.state, name), over_quota(name, quota))
    return limits
