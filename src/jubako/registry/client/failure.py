"""What a registry's refusal, or its silence, means to a caller: one table from HTTP status to kind."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import urllib3

from jubako.errors import (
    InvalidArgument,
    JubakoError,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)
from jubako.image.manifest import MALFORMED
from jubako.registry.client.transport import GivenUp
from jubako.spec import decoding
from jubako.spec.distribution import Code, ErrorBody, ErrorInfo

_TEXT_LIMIT = 300
_KINDS: dict[int, type[JubakoError]] = {
    400: InvalidArgument,
    401: Unauthenticated,
    403: PermissionDenied,
    405: InvalidArgument,
    413: ResourceExhausted,
    416: InvalidArgument,
    429: ResourceExhausted,
    507: ResourceExhausted,
}
_HINTS: dict[int, str] = {
    401: "log in first: jubako login {registry}",
    403: "log in as a user who may: jubako login {registry}",
    429: "the registry limits how much you may pull: wait, or log in: jubako login {registry}",
}


def refused(status: int, body: bytes, *, subject: str, registry: str, denied: str = "") -> JubakoError:
    """The error that an HTTP answer means. `subject` is the repository or reference that was asked for.

    `denied` is what to say of it instead when the access was refused.
    """
    infos = _errors(body)
    words = "; ".join(_words(info) for info in infos) or f"unexpected status {status}"
    if status == 401 and not infos:
        words = "unauthorized: authentication required"
    hint = _HINTS[status].format(registry=registry) if status in _HINTS else None
    if status == 404:
        return _not_found(subject, infos, words)
    kind = _KINDS.get(status, Unavailable if status >= 500 else InvalidArgument)
    said = denied if denied and status in (401, 403) else subject
    return kind(f"{said}: {words}", hint=hint)


def _not_found(subject: str, infos: list[ErrorInfo], words: str) -> NotFound:
    code = infos[0].code if infos else ""
    what = {"BLOB_UNKNOWN": "blob", "NAME_UNKNOWN": "repository"}.get(code, "manifest")
    if what == "manifest" and code in ("", "MANIFEST_UNKNOWN"):
        said = words if code else f"manifest unknown: {words}"
        return NotFound(what, subject, message=f"manifest for {subject} not found: {said}")
    return NotFound(what, subject, message=f"{subject}: {words}")


def unreachable(error: Exception, url: str) -> Unavailable:
    """The error that a failed connection means, in the words people know from Docker."""
    parts = urlsplit(url)
    target = f"{parts.scheme}://{parts.netloc}"
    return Unavailable(
        f'Get "{target}{parts.path or "/"}": {_why(error, parts.netloc)}',
        hint=f"is the registry {parts.netloc} running, and reachable from here?",
    )


def is_transient(error: Exception) -> bool:
    """Whether the same request may succeed in a moment: a peer that is not there is not a moment's matter."""
    cause = _root(error)
    return not isinstance(cause, (GivenUp, ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError))


def is_silence(error: Exception) -> bool:
    """Whether nothing came in time."""
    return isinstance(_root(error), (TimeoutError, urllib3.exceptions.TimeoutError))


def _why(error: Exception, netloc: str) -> str:
    cause = _root(error)
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return f"read tcp {netloc}: i/o timeout"
    if isinstance(cause, ConnectionRefusedError):
        return f"dial tcp {netloc}: connect: connection refused"
    if isinstance(cause, socket.gaierror):
        return f"dial tcp: lookup {urlsplit(f'//{netloc}').hostname}: no such host"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"x509: {cause.verify_message or cause}"
    if isinstance(cause, ssl.SSLError):
        return f"tls: {cause.reason or cause}"
    if isinstance(cause, (TimeoutError, urllib3.exceptions.TimeoutError)):
        return f"dial tcp {netloc}: i/o timeout"
    if isinstance(cause, OSError) and cause.strerror:
        return f"dial tcp {netloc}: {cause.strerror.lower()}"
    return str(cause) or type(cause).__name__


def _root(error: BaseException) -> BaseException:
    """The operating system's own error beneath the library's."""
    seen = error
    while True:
        deeper = (
            seen.__cause__ or seen.__context__ or next((a for a in seen.args if isinstance(a, BaseException)), None)
        )
        if deeper is None or isinstance(seen, OSError):
            return seen
        seen = deeper


def _errors(body: bytes) -> list[ErrorInfo]:
    try:
        return decoding.decode(body, ErrorBody).errors
    except MALFORMED:
        return []


def _words(info: ErrorInfo) -> str:
    """Docker writes a code in lower case, then the message: `manifest unknown: manifest unknown`."""
    code = (info.code or Code.UNKNOWN).lower().replace("_", " ")
    return _printable(f"{code}: {info.message}" if info.message else code)


def _printable(text: str) -> str:
    """A registry's text on a terminal: no control characters, not endless."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)[:_TEXT_LIMIT]


def header(headers: Mapping[str, str], name: str) -> str:
    return _printable(headers.get(name, ""))
