"""One repository of a registry: its manifests and blobs, over the distribution API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from jubako.errors import DataLoss, InvalidArgument, ResourceExhausted, Unavailable
from jubako.image import manifest as documents
from jubako.image.manifest import MALFORMED
from jubako.image.reference import Reference, is_digest
from jubako.registry.client import failure
from jubako.registry.client.session import Session
from jubako.registry.client.transport import Body, finish, read
from jubako.spec import decoding
from jubako.spec.distribution import (
    ACCEPTED_MANIFESTS,
    CONTENT_DIGEST_HEADER,
    DOCUMENT_TYPES,
    SUBJECT_HEADER,
    TagList,
)
from jubako.spec.oci_image import Descriptor, Digest

_PAGES_LIMIT = 1000
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1"


class Repository:
    """`push` asks for the right to write; `sources` are repositories that blobs may be mounted from."""

    def __init__(self, session: Session, ref: Reference, *, push: bool = False, sources: Iterable[str] = ()) -> None:
        self.session = session
        self._path = ref.path
        self.name = ref.familiar_name()
        self._denied = (
            f"{'push' if push else 'pull'} access denied for {self.name}, "
            "repository does not exist or may require 'jubako login'"
        )
        scopes = [f"repository:{ref.path}:{'pull,push' if push else 'pull'}"]
        self._scope = " ".join([*scopes, *(f"repository:{source}:pull" for source in sorted(sources))])

    def manifest(self, reference: str) -> tuple[Descriptor, bytes]:
        """Fetch a manifest or index by tag or digest, checked against its digest.

        NotFound, DataLoss, ResourceExhausted when it is too long, InvalidArgument when it is no manifest.
        """
        shown = f"{self.name}{'@' if is_digest(reference) else ':'}{reference}"
        headers = {"Accept": ", ".join(ACCEPTED_MANIFESTS)}
        response, data = self._document(f"manifests/{quote(reference, safe=':')}", shown, "manifest", headers=headers)
        media_type = _media_type(response, data, shown)
        digest = _check_digest(data, reference, response.headers.get(CONTENT_DIGEST_HEADER, ""), shown)
        return Descriptor(media_type=media_type, digest=digest, size=len(data)), data

    def open_blob(
        self, digest: Digest, *, offset: int = 0, end: int | None = None
    ) -> tuple[urllib3.BaseHTTPResponse, int]:
        """Begin a download at `offset`, up to `end`, where the registry can; return the response and where it begins.

        The caller closes the response. DataLoss when the registry's copy ends before `offset`.
        """
        headers = {"Accept-Encoding": "identity"}
        if offset or end is not None:
            headers["Range"] = f"bytes={offset}-{'' if end is None else end - 1}"
        response = self._request("GET", f"blobs/{digest}", self._shown(digest), (200, 206, 416), headers)
        if response.status == 416:
            finish(response)
            raise DataLoss(f"{self._shown(digest)}: the registry's copy ends after {offset} bytes")
        return response, _start_of(response, offset) if response.status == 206 else 0

    def has_blob(self, digest: Digest) -> bool:
        response = self._request("HEAD", f"blobs/{digest}", self._shown(digest), (200, 404))
        finish(response)
        return response.status == 200

    def mount(self, digest: Digest, source: str) -> str | None:
        """Ask to take a blob over from the repository `source`; None when that worked, else where to upload to."""
        return self._begin(digest, {"mount": digest, "from": source})

    def begin_upload(self, digest: Digest) -> str:
        """Open an upload and return where to send the bytes."""
        location = self._begin(digest, {})
        if location is None:
            raise Unavailable(f"{self._shown(digest)}: the registry did not say where to upload to")
        return location

    def upload(self, location: str, digest: Digest, size: int, body: Body) -> None:
        """Send a whole blob in one request."""
        url = f"{location}{'&' if urlsplit(location).query else '?'}{urlencode({'digest': digest})}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        # An empty file counts as no body at all, which needs no stream.
        finish(self._request("PUT", url, self._shown(digest), (201,), headers, body if size else b""))

    def put_manifest(self, reference: str, media_type: str, data: bytes) -> bool:
        """Put a manifest or index; whether the registry lists it with its subject by itself."""
        headers = {"Content-Type": media_type}
        response = self._request("PUT", f"manifests/{quote(reference, safe=':')}", self.name, (201,), headers, data)
        finish(response)
        return SUBJECT_HEADER in response.headers

    def pages(self, path: str, *, expect: tuple[int, ...] = (200,)) -> Iterator[tuple[urllib3.BaseHTTPResponse, bytes]]:
        """A list, over as many pages as the registry needs: each response, and its body."""
        for _ in range(_PAGES_LIMIT):
            response, data = self._document(path, self.name, "list", expect)
            yield response, data
            path = _next_page(response.headers.get("Link", ""))
            if not path:
                return
        raise Unavailable(f"{self.name}: the registry's list has no end")

    def tags(self) -> list[str]:
        """All tags."""
        found: list[str] = []
        for _, data in self.pages("tags/list"):
            try:
                found += decoding.decode(data, TagList).tags or []
            except MALFORMED as error:
                raise Unavailable(f"{self.name}: the registry's list of tags is malformed: {error}") from error
        return found

    def manifest_digest(self, reference: str) -> str:
        """The digest that a tag or digest means there; "" when there is none, or the registry does not say."""
        headers = {"Accept": ", ".join(ACCEPTED_MANIFESTS)}
        response = self._request("HEAD", f"manifests/{quote(reference, safe=':')}", self.name, (200, 404), headers)
        finish(response)
        return response.headers.get(CONTENT_DIGEST_HEADER, "") if response.status == 200 else ""

    def has_manifest(self, digest: Digest) -> bool:
        headers = {"Accept": ", ".join(ACCEPTED_MANIFESTS)}
        response = self._request("HEAD", f"manifests/{digest}", self._shown(digest), (200, 404), headers)
        finish(response)
        return response.status == 200

    def _begin(self, digest: Digest, query: dict[str, str]) -> str | None:
        path = f"blobs/uploads/{'?' + urlencode(query) if query else ''}"
        response = self._request("POST", path, self.name, (201, 202), {"Content-Length": "0"}, b"")
        finish(response)
        return None if response.status == 201 else response.headers.get("Location")

    def _document(
        self, path: str, shown: str, what: str, expect: tuple[int, ...] = (200,), headers: dict[str, str] | None = None
    ) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        """A response and its whole body; one that breaks off is asked for again."""
        for attempt in range(self.session.options.retries):
            response = self._request("GET", path, shown, expect, headers)
            try:
                return response, _read(response, shown, what)
            except Unavailable:
                self.session.wait(attempt)
        response = self._request("GET", path, shown, expect, headers)
        return response, _read(response, shown, what)

    def _request(
        self,
        method: str,
        path: str,
        subject: str,
        expect: tuple[int, ...] = (200,),
        headers: dict[str, str] | None = None,
        body: Body | None = None,
    ) -> urllib3.BaseHTTPResponse:
        # Locations are absolute paths or whole URLs; ours are relative to the repository.
        whole = path if path.startswith("/") or "://" in path else f"/v2/{self._path}/{path}"
        return self.session.request(
            method,
            whole,
            scope=self._scope,
            subject=subject,
            denied=self._denied,
            expect=expect,
            headers=headers,
            body=body,
        )

    def _shown(self, digest: Digest) -> str:
        return f"{self.name}@{digest}"


def _read(response: urllib3.BaseHTTPResponse, shown: str, what: str) -> bytes:
    """The body of a document; Unavailable when it breaks off, ResourceExhausted when it is too long."""
    try:
        data = read(response, documents.DOCUMENT_LIMIT_BYTES + 1)
    except urllib3.exceptions.HTTPError as error:
        raise Unavailable(f"{shown}: the registry broke off in the middle of the {what}: {error}") from error
    if len(data) > documents.DOCUMENT_LIMIT_BYTES:
        raise ResourceExhausted(f"{shown}: the {what} is larger than {documents.DOCUMENT_LIMIT_BYTES >> 20} MB")
    return data


def _next_page(link: str) -> str:
    """The target of a Link header, `<target>; rel="next"`; "" where there is none."""
    target, _, parameters = link.partition(">")
    return target.lstrip(" <") if 'rel="next"' in parameters.replace("'", '"') else ""


def _media_type(response: urllib3.BaseHTTPResponse, data: bytes, shown: str) -> str:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    # Where there are still such images they are often called JSON, or text.
    if media_type.startswith(_SCHEMA_1) or (media_type not in DOCUMENT_TYPES and documents.is_schema_1(data)):
        raise InvalidArgument(f"{shown}: the image uses Docker manifest schema 1, which is no longer supported")
    if media_type not in DOCUMENT_TYPES:
        answered = failure.header(response.headers, "Content-Type") or "no content type"
        raise InvalidArgument(f"{shown}: the registry answered with {answered}, which is not a manifest")
    return media_type


def _check_digest(data: bytes, reference: str, claimed: str, shown: str) -> Digest:
    """The digest to know the document by; DataLoss unless it is what was asked for and what the registry says."""
    for wanted in (reference, claimed):
        if is_digest(wanted) and (actual := digest_of(data, wanted.partition(":")[0])) != wanted:
            raise DataLoss(f"{shown}: the manifest does not match its digest: {wanted} was expected, {actual} arrived")
    return Digest(reference) if is_digest(reference) else digest_of(data)


def digest_of(data: bytes, algorithm: str = "sha256") -> Digest:
    return Digest(f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}")


def _start_of(response: urllib3.BaseHTTPResponse, asked: int) -> int:
    """Where a partial answer begins, which must be where we asked."""
    header = response.headers.get("Content-Range", "")
    if not header.startswith(f"bytes {asked}-"):
        finish(response)
        raise DataLoss(f"the registry was asked for bytes from {asked} and answered with {header[:100]!r}")
    return asked
