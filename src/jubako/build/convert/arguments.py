"""Build arguments: what the caller gave, what is predefined, and what the Dockerfile declares before its first FROM.

Spec: Dockerfile reference, "ARG": predefined ARGs, automatic platform ARGs, scope.
"""

from __future__ import annotations

from collections.abc import Mapping

from jubako.image import platform as platforms
from jubako.spec.oci_image import Platform

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
PROXIES = frozenset({*_PROXIES, *(name.lower() for name in _PROXIES)})
_OTHER_PREDEFINED = frozenset({"SOURCE_DATE_EPOCH"})
_PREDEFINED_PREFIX = "BUILDKIT_"


class Arguments:
    """The arguments of one build. `globals` fills as the ARGs before the first FROM are gone through."""

    def __init__(self, given: Mapping[str, str], platform: Platform, target_stage: str | None) -> None:
        self._given = dict(given)
        self._automatic = {name: given.get(name, value) for name, value in _automatic(platform, target_stage).items()}
        self._used: set[str] = set()
        self.globals: dict[str, str | None] = {}

    def given(self, name: str) -> str | None:
        """The caller's value; asking counts as use."""
        self._used.add(name)
        return self._given.get(name)

    def inherited(self, name: str) -> str | None:
        """What `ARG name` without a default means in a stage when the caller gave nothing."""
        value = self.globals.get(name)
        return self._automatic.get(name) if value is None else value

    def global_lookup(self, name: str) -> str | None:
        """A variable as FROM sees it."""
        return self.inherited(name)

    def automatic(self) -> dict[str, str]:
        """What the builder says about platforms and the target."""
        return dict(self._automatic)

    def proxies(self) -> dict[str, str]:
        """What every RUN gets without asking, and no key or history ever shows."""
        return {name: value for name, value in self._given.items() if name in PROXIES}

    def unused(self) -> list[str]:
        """What the caller gave and nothing declared: most often a misspelled name."""
        names = set(self._given) - self._used - PROXIES - _OTHER_PREDEFINED - set(self._automatic)
        return sorted(name for name in names if not name.startswith(_PREDEFINED_PREFIX))


def _automatic(platform: Platform, target_stage: str | None) -> dict[str, str]:
    host = platforms.host()
    return {
        "TARGETPLATFORM": platforms.text(platform),
        "TARGETOS": platform.os,
        "TARGETARCH": platform.architecture,
        "TARGETVARIANT": platform.variant or "",
        "BUILDPLATFORM": platforms.text(host),
        "BUILDOS": host.os,
        "BUILDARCH": host.architecture,
        "BUILDVARIANT": host.variant or "",
        "TARGETSTAGE": target_stage or "default",
    }
