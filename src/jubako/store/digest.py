"""Digest strings: validated before any path is made of them.

Spec: OCI image-spec, "Digests". Registered algorithms only, lower-case hex of the exact length.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jubako.errors import InvalidArgument
from jubako.spec.oci_image import Digest

if TYPE_CHECKING:
    from hashlib import _Hash

_PATTERN = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)


def parse(text: str) -> Digest:
    """Return `text` as a Digest, or raise InvalidArgument."""
    if _PATTERN.fullmatch(text) is None:
        raise InvalidArgument(f"invalid digest: {text[:200]!r}")
    return Digest(text)


def split(text: str) -> tuple[str, str]:
    """Return the algorithm and the hex of a valid digest, each safe as one path component."""
    algorithm, _, encoded = parse(text).partition(":")
    return algorithm, encoded


def of(data: bytes) -> Digest:
    """Return the sha256 digest of `data`."""
    import hashlib

    return Digest("sha256:" + hashlib.sha256(data).hexdigest())


def hasher(algorithm: str) -> _Hash:
    """Return a fresh hash object for a registered algorithm."""
    import hashlib  # loads OpenSSL: 2 ms that starting a container does without

    return hashlib.sha512() if algorithm == "sha512" else hashlib.sha256()
