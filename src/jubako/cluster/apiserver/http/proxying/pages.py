"""Pages of a pod: answers whose links are to lead through the proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from multidict import CIMultiDict

from jubako.cluster.apiserver.http.proxying.coding import Coding, coding
from jubako.cluster.apiserver.http.proxying.links import Links

_PART = 206


class Page:
    """What streams by of one. Raises zlib.error for what is not coded as it says."""

    def __init__(self, coding: Coding, moved: Callable[[str], str]) -> None:
        self._coding, self._links = coding, Links(moved)

    def feed(self, data: bytes) -> Iterator[bytes]:
        for piece in self._coding.decode(data):
            yield self._coding.encode(self._links.feed(piece))

    def end(self) -> bytes:
        last = self._links.feed(self._coding.rest()) + self._links.end()
        return self._coding.encode(last) + self._coding.end()


def page(status: int, headers: CIMultiDict[str], moved: Callable[[str], str]) -> Page | None:
    """Return what changes an answer if it is a page, and have its headers say no length.

    A part of a page stays as it is, since it has to fit to other parts, and so does one in a coding that is not known.
    """
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "text/html" or "Location" in headers or status == _PART:
        return None
    found = coding(headers.get("Content-Encoding", ""))
    if found is None:
        return None
    headers.popall("Content-Length", None)
    return Page(found, moved)
