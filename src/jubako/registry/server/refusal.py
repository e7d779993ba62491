"""What a request is refused with: one table from code to HTTP status, one from error kind to code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jubako.errors import (
    Conflict,
    DataLoss,
    InvalidArgument,
    JubakoError,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)
from jubako.spec.distribution import Code, ErrorBody, ErrorInfo

_STATUS: dict[Code, int] = {
    Code.BLOB_UNKNOWN: 404,
    Code.BLOB_UPLOAD_INVALID: 400,
    Code.BLOB_UPLOAD_UNKNOWN: 404,
    Code.DIGEST_INVALID: 400,
    Code.MANIFEST_BLOB_UNKNOWN: 404,
    Code.MANIFEST_INVALID: 400,
    Code.MANIFEST_UNKNOWN: 404,
    Code.NAME_INVALID: 400,
    Code.NAME_UNKNOWN: 404,
    Code.SIZE_INVALID: 400,
    Code.TAG_INVALID: 400,
    Code.PAGINATION_NUMBER_INVALID: 400,
    Code.UNAUTHORIZED: 401,
    Code.DENIED: 403,
    Code.UNSUPPORTED: 405,
    Code.TOOMANYREQUESTS: 429,
    Code.UNKNOWN: 500,
}
_UNKNOWN_THING: dict[str, Code] = {
    "blob": Code.BLOB_UNKNOWN,
    "manifest": Code.MANIFEST_UNKNOWN,
    "repository": Code.NAME_UNKNOWN,
    "upload": Code.BLOB_UPLOAD_UNKNOWN,
}
# As Docker's registry has them: people look for these words.
_WORDS: dict[Code, str] = {
    Code.BLOB_UNKNOWN: "blob unknown to registry",
    Code.MANIFEST_UNKNOWN: "manifest unknown",
    Code.NAME_UNKNOWN: "repository name not known to registry",
    Code.BLOB_UPLOAD_UNKNOWN: "blob upload unknown to registry",
}
_KINDS: tuple[tuple[type[JubakoError], Code, int], ...] = (
    (InvalidArgument, Code.UNSUPPORTED, 400),
    (Conflict, Code.BLOB_UPLOAD_INVALID, 409),
    (PermissionDenied, Code.DENIED, 403),
    (ResourceExhausted, Code.UNKNOWN, 507),
    (Unavailable, Code.UNKNOWN, 503),
    (Unauthenticated, Code.DENIED, 403),
    (DataLoss, Code.UNKNOWN, 500),
)


class Refused(Exception):
    """An answer of the specification's error codes; `headers` go along with it."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        detail: Any = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status or _STATUS[code]
        self.headers = dict(headers or {})
        self.body = ErrorBody([ErrorInfo(code.value, message, detail)])


def from_kind(error: JubakoError) -> Refused:
    """The answer that an error of the layers below means."""
    if isinstance(error, NotFound):
        code = _UNKNOWN_THING.get(error.what, Code.UNKNOWN)
        return Refused(code, _WORDS.get(code, "unknown to registry"), detail={"name": error.name}, status=404)
    for kind, code, status in _KINDS:
        if isinstance(error, kind):
            return Refused(code, error.message, status=status)
    return Refused(Code.UNKNOWN, error.message)
