"""One object in two versions of the API.

That is an event, which is served by the core group and by events.k8s.io under other names, and what is served in an
older
version too, for clients that know no newer. The store keeps one form; a request in the other is converted on its way
in,
and an answer on its way out.
"""

from __future__ import annotations

from jubako.cluster.types.document import Object
from jubako.cluster.types.resources import preferred
from jubako.cluster.types.served import Kind

_CORE, _NEW = "core/v1.Event", "events/v1.Event"
_NAMES = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_RENAMED = {_NEW: _NAMES, _CORE: {new: old for old, new in _NAMES.items()}}


def stored(kind: Kind) -> Kind:
    """Return the kind in whose form an object of `kind` is kept."""
    if kind.message_name != _NEW:
        return preferred(kind)
    return Kind(group="", version="v1", name=kind.name, message_name=_CORE)


def convert(document: Object, to: Kind) -> Object:
    """Return the document in the form of a kind; one that is in that form already is returned as it is."""
    if document.get("apiVersion") == to.api_version:
        return document
    names = _RENAMED.get(to.message_name, {})
    renamed = {names.get(name, name): value for name, value in document.items()}
    return {**renamed, "kind": to.name, "apiVersion": to.api_version}
