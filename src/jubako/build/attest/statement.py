"""in-toto statements: a predicate about subjects, which are images by digest.

Spec: in-toto attestation framework v0.1, "Statement"; BuildKit, docs/attestations/attestation-storage.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from jubako.build.exporters.product import Predicate
from jubako.image import platform as platforms
from jubako.image import reference
from jubako.spec.oci_image import Digest, Platform
from jubako.store.digest import split

_TYPE = "https://in-toto.io/Statement/v0.1"


class Subject(msgspec.Struct, frozen=True):
    name: str
    digest: dict[str, str]


class _Statement(msgspec.Struct, frozen=True, rename="camel"):
    type: str = msgspec.field(name="_type")
    predicate_type: str
    subject: list[Subject]
    predicate: msgspec.Raw


def statement(predicate: Predicate, subjects: Sequence[Subject]) -> bytes:
    """The statement's JSON."""
    return msgspec.json.encode(_Statement(_TYPE, predicate.type, list(subjects), msgspec.Raw(predicate.data)))


def subjects_of(names: Sequence[str], platform: Platform, digest: Digest) -> list[Subject]:
    """The image under each of its names as package URLs; one without a name is `_`."""
    urls = [package_url(name, platform) for name in names] or ["_"]
    return [Subject(url, digest_set(digest)) for url in urls]


def digest_set(digest: Digest) -> dict[str, str]:
    """The digest by its algorithm."""
    return dict([split(digest)])


def package_url(name: str, platform: Platform) -> str:
    """The package URL of an image by name."""
    parsed = reference.parse(name)
    familiar = parsed.familiar_name()
    tag = f"@{quote(parsed.tag, safe='')}" if parsed.tag else ""
    return f"pkg:docker/{quote(familiar, safe='/')}{tag}?platform={quote(platforms.text(platform), safe='')}"
