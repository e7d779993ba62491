"""Items -> what a client gets.

Model:  an object as it is goes out as it is stored, with its resourceVersion put in; tables and metadata alone are made
        of decoded documents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from jubako.cluster.apiserver.http.negotiation import Form
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.apiserver.objects.reading import Listing
from jubako.cluster.store import Item
from jubako.cluster.types.columns import IncludeObject, table
from jubako.cluster.types.document import JSON, Object, mapping
from jubako.cluster.types.served import Resource

_encoder = msgspec.json.Encoder()


class Answers:
    """Answers about one resource in one form. `include` is what the rows of a Table have of their objects."""

    def __init__(self, resource: Resource, form: Form, include: IncludeObject, clock: Callable[[], datetime]) -> None:
        self._resource, self._form, self._include, self._clock = resource, form, include, clock
        self._has_told_columns = False

    def one(self, item: Item) -> bytes:
        """Return one object."""
        if self._form == "":
            return stored.body(item, self._resource.kind)
        document = stored.decode(item, self._resource.kind)
        if self._form == "Table":
            return _encoder.encode(self._table([document], {}))
        return _encoder.encode(_metadata_alone(document))

    def many(self, listing: Listing) -> bytes:
        """Return a list."""
        head: Object = {"resourceVersion": str(listing.revision)}
        if listing.more:
            head["continue"] = listing.more
        if listing.remaining:
            head["remainingItemCount"] = listing.remaining
        if self._form == "Table":
            return _encoder.encode(
                self._table([stored.decode(item, self._resource.kind) for item in listing.items], head)
            )
        if self._form == "":
            kind = self._resource.kind
            bodies = (stored.body(item, kind) for item in listing.items)
            return _joined(self._resource.list_kind, kind.api_version, head, bodies)
        items: list[JSON] = [_metadata_alone(stored.decode(item)) for item in listing.items]
        whole: Object = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": head}
        return _encoder.encode({**whole, "items": items})

    def _table(self, documents: list[Object], head: Object) -> Object:
        """A watch tells the columns with its first event alone."""
        headers, self._has_told_columns = not self._has_told_columns, True
        made = table(
            self._resource.kind, documents, self._clock(), metadata=head, include_object=self._include, headers=headers
        )
        version = mapping(documents[0]["metadata"]).get("resourceVersion") if len(documents) == 1 else None
        return made if head or not version else {**made, "metadata": {"resourceVersion": version}}

    def notice(self, kind: str, body: bytes) -> bytes:
        """Return one line of a watch."""
        return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)


def encode(document: Object) -> bytes:
    return _encoder.encode(document)


def _joined(kind: str, api_version: str, head: Object, bodies: Iterable[bytes]) -> bytes:
    start = _encoder.encode({"kind": kind, "apiVersion": api_version, "metadata": head})
    return b'%s,"items":[%s]}' % (start[:-1], b",".join(bodies))


def _metadata_alone(document: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": document["metadata"]}
