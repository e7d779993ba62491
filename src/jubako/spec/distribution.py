"""The OCI distribution API: names, error codes and bodies, header names, and the shapes of its JSON answers.

Received names are checked against these patterns before any path or key is made of them.

Spec: OCI distribution-spec 1.1; Docker's Registry HTTP API V2 for the catalog, and its token authentication.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import msgspec

from jubako.spec.oci_image import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    INDEX,
    INDEX_TYPES,
    MANIFEST,
    MANIFEST_TYPES,
    Descriptor,
)

API_VERSION = "registry/2.0"
API_VERSION_HEADER = "Docker-Distribution-API-Version"
CONTENT_DIGEST_HEADER = "Docker-Content-Digest"
UPLOAD_UUID_HEADER = "Docker-Upload-UUID"
SUBJECT_HEADER = "OCI-Subject"
TAG_HEADER = "OCI-Tag"
FILTERS_APPLIED_HEADER = "OCI-Filters-Applied"

# What a client says it can read, the newest first.
ACCEPTED_MANIFESTS = (INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST)
DOCUMENT_TYPES = MANIFEST_TYPES | INDEX_TYPES
NAME_LENGTH_LIMIT = 255

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*", re.ASCII)
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", re.ASCII)


class Code(StrEnum):
    """Error codes of the specification, and the two that Docker's registry adds."""

    BLOB_UNKNOWN = "BLOB_UNKNOWN"
    BLOB_UPLOAD_INVALID = "BLOB_UPLOAD_INVALID"
    BLOB_UPLOAD_UNKNOWN = "BLOB_UPLOAD_UNKNOWN"
    DIGEST_INVALID = "DIGEST_INVALID"
    MANIFEST_BLOB_UNKNOWN = "MANIFEST_BLOB_UNKNOWN"
    MANIFEST_INVALID = "MANIFEST_INVALID"
    MANIFEST_UNKNOWN = "MANIFEST_UNKNOWN"
    NAME_INVALID = "NAME_INVALID"
    NAME_UNKNOWN = "NAME_UNKNOWN"
    SIZE_INVALID = "SIZE_INVALID"
    TAG_INVALID = "TAG_INVALID"
    PAGINATION_NUMBER_INVALID = "PAGINATION_NUMBER_INVALID"
    UNAUTHORIZED = "UNAUTHORIZED"
    DENIED = "DENIED"
    UNSUPPORTED = "UNSUPPORTED"
    TOOMANYREQUESTS = "TOOMANYREQUESTS"
    UNKNOWN = "UNKNOWN"


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `code` that this page does not list counts as UNKNOWN."""

    code: str = ""
    message: str = ""
    detail: Any = None


class ErrorBody(msgspec.Struct, frozen=True):
    errors: list[ErrorInfo] = []


class TagList(msgspec.Struct, frozen=True):
    """Some registries write null for no tags."""

    name: str
    tags: list[str] | None


class Catalog(msgspec.Struct, frozen=True):
    repositories: list[str]


class Referrers(msgspec.Struct, frozen=True, rename="camel"):
    """An image index that lists what refers to a subject."""

    manifests: list[Descriptor]
    schema_version: int = 2
    media_type: str = INDEX


class Token(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token service answers; `token` and `access_token` mean the same."""

    token: str = ""
    access_token: str = ""
    expires_in: int = 60
    issued_at: str = ""
    refresh_token: str = ""


def is_repository(name: str) -> bool:
    """Whether `name` may be the name of a repository."""
    return len(name) <= NAME_LENGTH_LIMIT and _NAME.fullmatch(name) is not None


def is_tag(text: str) -> bool:
    return _TAG.fullmatch(text) is not None
