"""Platforms: what this machine runs, what was asked for, and which manifest of an index fits.

Spec: OCI image-spec, image-index.md ("platform"); normalisation as containerd's platforms package.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from jubako.errors import InvalidArgument, NotFound
from jubako.spec.oci_image import Descriptor, Index, Platform

_ARCHITECTURES = {
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "i386": ("386", None),
    "i686": ("386", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v7"),
}
# What an absent variant means, so that arm64 and arm64/v8 are one platform.
_IMPLIED_VARIANT = {"arm64": "v8", "arm": "v7", "amd64": "v1"}
# Later variants run what was built for the earlier ones.
_VARIANTS = {"arm": ("v5", "v6", "v7", "v8"), "amd64": ("v1", "v2", "v3", "v4"), "arm64": ("v8", "v9")}
_KNOWN_OS = frozenset({"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "android", "wasip1", "js"})


def host() -> Platform:
    """The platform of this machine."""
    return _normalise("linux", os.uname().machine, None)


def parse(text: str) -> Platform:
    """Read `os[/arch[/variant]]`, or an architecture alone. Raises InvalidArgument."""
    parts = text.lower().split("/")
    if not 1 <= len(parts) <= 3 or not all(part and part.replace("-", "").replace("_", "").isalnum() for part in parts):
        raise InvalidArgument(f"{text!r} is not a platform", hint="write it as os/architecture[/variant]: linux/arm64")
    here = host()
    if len(parts) == 1 and parts[0] in _KNOWN_OS:
        return _normalise(parts[0], here.architecture, here.variant)
    if len(parts) == 1:
        return _normalise(here.os, parts[0], None)
    return _normalise(parts[0], parts[1], parts[2] if len(parts) == 3 else None)


def parse_given(text: str | None) -> Platform | None:
    """As parse(), where one may be given; None for none."""
    return parse(text) if text else None


def text(platform: Platform) -> str:
    """The form that parse() reads."""
    base = f"{platform.os}/{platform.architecture}"
    return f"{base}/{platform.variant}" if platform.variant else base


def matches(wanted: Platform, offered: Platform) -> bool:
    """Whether what was built for `offered` runs on `wanted`."""
    return _rank(wanted, offered) is not None


def select(index: Index, wanted: Platform | None = None) -> Descriptor:
    """The manifest of `index` that fits `wanted` (or this machine) best. Raises NotFound.

    Entries that name no platform are taken only when no entry names one.
    """
    target = wanted or host()
    named = [entry for entry in index.manifests if entry.platform is not None]
    if not named and index.manifests:
        return index.manifests[0]
    best = _best(target, named)
    if best is None:
        raise NotFound(
            "platform",
            text(target),
            message=f"no matching manifest for {text(target)} in the manifest list entries",
            hint=f"the image has: {', '.join(_offered(named)) or 'nothing'}",
        )
    return best


def _best(target: Platform, entries: Sequence[Descriptor]) -> Descriptor | None:
    best: tuple[int, Descriptor] | None = None
    for entry in entries:
        rank = _rank(target, entry.platform) if entry.platform else None
        if rank is not None and (best is None or rank > best[0]):
            best = (rank, entry)
    return best[1] if best else None


def _offered(entries: Sequence[Descriptor]) -> list[str]:
    # Build tools attach attestations as manifests for unknown/unknown: no platform that anyone could ask for.
    return [text(e.platform) for e in entries if e.platform and e.platform.os != "unknown"]


def _rank(wanted: Platform, offered: Platform) -> int | None:
    """How well `offered` fits, higher is better; None when it does not run."""
    have = _normalise(offered.os, offered.architecture, offered.variant)
    want = _normalise(wanted.os, wanted.architecture, wanted.variant)
    if (have.os, have.architecture) != (want.os, want.architecture):
        return None
    have_variant, want_variant = _variant(have), _variant(want)
    if have_variant == want_variant:
        return 100
    order = _VARIANTS.get(want.architecture, ())
    if have_variant not in order or want_variant not in order:
        return None
    position = order.index(have_variant)
    return position if position < order.index(want_variant) else None


def _variant(platform: Platform) -> str:
    return platform.variant or _IMPLIED_VARIANT.get(platform.architecture, "")


def _normalise(os_name: str, architecture: str, variant: str | None) -> Platform:
    arch, implied = _ARCHITECTURES.get(architecture.lower(), (architecture.lower(), None))
    chosen = variant or implied
    if arch in ("arm64", "amd64") and chosen == _IMPLIED_VARIANT[arch]:
        chosen = None
    return Platform(os=os_name.lower(), architecture=arch, variant=chosen)
