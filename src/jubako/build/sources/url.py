"""Downloads over http and https: redirects judged one by one, sizes capped, content hashed while it comes in."""

from __future__ import annotations

import email.utils
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from jubako.build.graph.vertex import Task
from jubako.build.sources import connect
from jubako.build.sources.known import UrlState
from jubako.errors import DataLoss, InvalidArgument, NotFound, PermissionDenied, ResourceExhausted, Unavailable

LIMIT_BYTES = 64 << 30
_CHUNK = 1 << 20
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REDIRECT_LIMIT = 10


class NotModified(Exception):
    """The content is still the one that is known."""


class Download(msgspec.Struct, frozen=True):
    """A file that was fetched, in the directory it was asked into under `state.name`."""

    state: UrlState
    sha256: str


def download(
    url: str, directory: Path, task: Task, *, known: UrlState | None = None, limit_bytes: int = LIMIT_BYTES
) -> Download:
    """Fetch `url` into `directory`; with `known` raise NotModified when the server says so.

    Raises NotFound, PermissionDenied, Unavailable, ResourceExhausted, DataLoss, InvalidArgument.
    """
    headers = _validators(known) if known else {}
    with opened(url, headers, task) as (response, final):
        if response.status == 304:
            raise NotModified
        name = _file_name(response, final) or _file_name(response, url)
        if not name:
            raise InvalidArgument(f"cannot determine a file name from {shown(url)}")
        _check_announced(response, url, limit_bytes)
        fd = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "wb") as out:
            sha256 = _receive(response, out, url, task.check, limit_bytes)
        return Download(_state(response, name, sha256), sha256)


@contextmanager
def opened(url: str, headers: dict[str, str], task: Task) -> Iterator[tuple[HTTPResponse, str]]:
    """Lend the response of a GET, its redirects followed, and the URL that gave it; raises the kinds of a failure.

    An Authorization among the `headers` is for the URL's own origin: a redirect elsewhere goes on without it.
    """
    public = False
    for _ in range(_REDIRECT_LIMIT + 1):
        with _explained(url, task), connect.get(url, headers, task, public_only=public) as (response, target):
            location = response.getheader("Location")
            if response.status not in _REDIRECTS or location is None:
                _check_status(response, url)
                yield response, url
                return
            public = public or target.public
            before, url = url, _redirected(url, location)
            if urlsplit(before)[:2] != urlsplit(url)[:2]:
                headers = {name: value for name, value in headers.items() if name != "Authorization"}
    raise Unavailable(f"{shown(url)}: more than {_REDIRECT_LIMIT} redirects")


def shown(url: str) -> str:
    """The URL for people, history and records: without a name and password in it."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="").geturl()


def _redirected(url: str, location: str) -> str:
    target = urljoin(url, location)
    if urlsplit(target).scheme not in ("http", "https"):
        raise PermissionDenied(f"{shown(url)} redirects to {shown(target)}, which is not http or https")
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http":
        raise PermissionDenied(f"{shown(url)} redirects to {shown(target)}, which is not encrypted")
    return target


def _validators(known: UrlState) -> dict[str, str]:
    if known.etag:
        return {"If-None-Match": known.etag}
    return {"If-Modified-Since": known.last_modified} if known.last_modified else {}


def _check_status(response: HTTPResponse, url: str) -> None:
    if response.status in (200, 304):
        return
    message = f"invalid response status {response.status} for {shown(url)}"
    if response.status in (404, 410):
        raise NotFound("URL", shown(url), message=message)
    raise (PermissionDenied if response.status in (401, 403) else Unavailable)(message)


def _check_announced(response: HTTPResponse, url: str, limit_bytes: int) -> None:
    if response.length is not None and response.length > limit_bytes:
        raise ResourceExhausted(f"{shown(url)} is larger than {limit_bytes} bytes")


def _receive(response: HTTPResponse, out: BinaryIO, url: str, check: Callable[[], None], limit_bytes: int) -> str:
    digest, size = hashlib.sha256(), 0
    while chunk := response.read1(_CHUNK):
        check()
        size += len(chunk)
        if size > limit_bytes:
            raise ResourceExhausted(f"{shown(url)} is larger than {limit_bytes} bytes")
        digest.update(chunk)
        out.write(chunk)
    check()
    if response.length:
        raise DataLoss(f"{shown(url)} ended {response.length} bytes early")
    return digest.hexdigest()


def _state(response: HTTPResponse, name: str, sha256: str) -> UrlState:
    last_modified = response.getheader("Last-Modified") or ""
    return UrlState(name, sha256, _seconds(last_modified), response.getheader("ETag") or "", last_modified)


def _seconds(text: str) -> int:
    """Seconds of an HTTP date; 0 when there is none."""
    try:
        return max(0, int(email.utils.parsedate_to_datetime(text).timestamp()))
    except (ValueError, OverflowError):
        return 0


def _file_name(response: HTTPResponse, url: str) -> str:
    match = re.search(r'filename="?([^";]+)"?', response.getheader("Content-Disposition") or "")
    path = match[1] if match else unquote(urlsplit(url).path)
    name = path.rpartition("/")[2].replace("\0", "").strip()
    return "" if name in (".", "..") or len(os.fsencode(name)) > 255 else name


@contextmanager
def _explained(url: str, task: Task) -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException) as error:
        task.check()
        raise Unavailable(f"cannot fetch {shown(url)}: {error}") from error
