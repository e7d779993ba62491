"""The records that a registry keeps, and how their keys are made.

Neither `@` nor `:` can stand in a repository's name, so a key splits one way only, and all records of a repository
are the keys that begin with `name@` or `name:`.
"""

from __future__ import annotations

import msgspec

from jubako.spec.oci_image import Digest


class Repository(msgspec.Struct, frozen=True):
    """`size` is how many bytes it holds (usage.py); None where it was never counted."""

    created: float
    size: int | None = None


class BlobLink(msgspec.Struct, frozen=True):
    """A blob that a repository may serve; `touched` (seconds since the epoch) says when somebody last wanted it."""

    size: int
    touched: float


class ManifestEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A manifest or index of a repository, with what collection needs to know of it.

    `media_type` is the Content-Type it was pushed with, and is served with.
    """

    media_type: str
    size: int
    touched: float
    blobs: list[Digest] = []
    children: list[Digest] = []
    subject: Digest | None = None


class Tag(msgspec.Struct, frozen=True, omit_defaults=True):
    """`pushed` is when it was last put, `checked` when an upstream last said the same (seconds since the epoch)."""

    digest: Digest
    pushed: float = 0.0
    checked: float = 0.0


class UploadSession(msgspec.Struct, frozen=True):
    """Who is uploading to which repository: a session serves nobody else and no other place."""

    repository: str
    user: str


class Condemned(msgspec.Struct, frozen=True, omit_defaults=True):
    """Bytes that no record named at `since`, and that collection is about to delete.

    For a while it stays when they are `gone` (since then), for pushes that saw them before.
    """

    since: float
    gone: bool = False


class Delivery(msgspec.Struct, frozen=True):
    """Something to tell a target (a webhook, a peer): waits at `next_at` for its next attempt."""

    event: msgspec.Raw
    attempts: int = 0
    next_at: float = 0.0


def in_repository(name: str, digest: str) -> str:
    return f"{name}@{digest}"


def tag_key(name: str, tag: str) -> str:
    return f"{name}:{tag}"


def referrer_key(name: str, subject: str, digest: str) -> str:
    return f"{name}@{subject}@{digest}"
