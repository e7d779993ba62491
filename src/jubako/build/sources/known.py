"""What is known of URLs that were fetched before: enough to ask whether they changed.

Layout: records `build-urls`: URL -> UrlState
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from jubako.store import Records

_COLLECTION = "build-urls"


class UrlState(msgspec.Struct, frozen=True):
    """A URL's content (its file name, digest and time), and the server's validators for it."""

    name: str
    sha256: str
    modified_s: int
    etag: str = ""
    last_modified: str = ""


class KnownUrls:
    def __init__(self, records: Records) -> None:
        self._records = records
        self._collection = records.collection(_COLLECTION, UrlState)

    def find(self, url: str) -> UrlState | None:
        return self._collection.find(_key(url))

    def remember(self, url: str, state: UrlState) -> None:
        with self._records.transaction():
            self._collection.delete(_key(url))
            self._collection.insert(_key(url), state)


def _key(url: str) -> str:
    """A hash: a URL may carry a token that must not lie about in records."""
    return hashlib.sha256(url.encode()).hexdigest()
