"""Image references: the names people type, and the one canonical form that records and registries use.

Model:  `[domain/]path[:tag][@digest]`, normalised as Docker does: `busybox` is `docker.io/library/busybox:latest`.
Spec:   distribution's reference grammar (reference/reference.go, normalize.go).
"""

from __future__ import annotations

import re

import msgspec

from jubako.errors import InvalidArgument
from jubako.spec.oci_image import Digest

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
_LEGACY_DOMAIN = "index.docker.io"
_OFFICIAL = "library/"
_NAME_LENGTH_LIMIT = 255

# Patterns are compiled on first use (re keeps them), not at import: `run` by image ID needs none.
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}"
_HEX_ID = r"[a-f0-9]{64}"


class Reference(msgspec.Struct, frozen=True):
    """A normalised image name; `tag` and `digest` may both be set, and the digest then decides."""

    domain: str
    path: str
    tag: str | None = None
    digest: Digest | None = None

    @property
    def name(self) -> str:
        """The repository: domain and path."""
        return f"{self.domain}/{self.path}"

    def __str__(self) -> str:
        return self.name + self._suffix()

    def familiar(self) -> str:
        """The short form that people read: `busybox:latest`."""
        return self.familiar_name() + self._suffix()

    def familiar_name(self) -> str:
        """The short form of the repository: `busybox`, `user/tool`, `quay.io/a/b`."""
        first, slash, _ = self.path.partition("/")
        if self.domain != DEFAULT_DOMAIN or (slash and _is_domain(first)):
            # Without its domain, docker.io/quay.io/a would be quay.io/a.
            return self.name
        path = self.path.removeprefix(_OFFICIAL)
        return self.path if "/" in path else path

    def canonical(self) -> Reference:
        """The form under which an image is recorded: with a digest the tag no longer says anything."""
        return Reference(self.domain, self.path, None, self.digest) if self.digest else self

    def with_digest(self, digest: Digest) -> Reference:
        return Reference(self.domain, self.path, self.tag, digest)

    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{tag}@{self.digest}" if self.digest else tag


def parse(text: str) -> Reference:
    """Normalise `text`; a reference with neither tag nor digest gets the tag `latest`. Raises InvalidArgument."""
    if re.fullmatch(_HEX_ID, text):
        raise InvalidArgument(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings",
            hint="an image ID can not serve as a name",
        )
    rest, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise _malformed(text)
    domain, path, tag = _split(rest)
    if path != path.lower() and re.fullmatch(_PATH, path.lower()):
        raise InvalidArgument(f"invalid reference format: repository name ({path}) must be lowercase: {text!r}")
    if not (re.fullmatch(_DOMAIN, domain) and re.fullmatch(_PATH, path)):
        raise _malformed(text)
    if tag is not None and not re.fullmatch(_TAG, tag):
        raise _malformed(text)
    if len(domain) + 1 + len(path) > _NAME_LENGTH_LIMIT:
        raise InvalidArgument(f"repository name must not be more than {_NAME_LENGTH_LIMIT} characters: {text!r}")
    if tag is None and not digest:
        tag = DEFAULT_TAG
    return Reference(domain, path, tag, Digest(digest) if digest else None)


def names_version(text: str) -> bool:
    """Whether `text` says itself which tag or digest it wants."""
    return ":" in text.rpartition("/")[2] or "@" in text


def is_digest(text: str) -> bool:
    """Whether `text` is a digest that we can check: sha256 or sha512 in lower-case hex."""
    return re.fullmatch(_DIGEST, text) is not None


def _split(text: str) -> tuple[str, str, str | None]:
    """Domain, path and tag; the first part is a domain only if it could not be a path (Docker's rule)."""
    first, slash, rest = text.partition("/")
    if slash and _is_domain(first):
        domain, path = first, rest
    else:
        domain, path = DEFAULT_DOMAIN, text
    path, colon, tag = path.partition(":")
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and path and "/" not in path:
        path = _OFFICIAL + path
    return domain, path, tag if colon else None


def _is_domain(first: str) -> bool:
    return first == "localhost" or any(c in first for c in ".:[") or first != first.lower()


def _malformed(text: str) -> InvalidArgument:
    return InvalidArgument(f"invalid reference format: {text!r}")
