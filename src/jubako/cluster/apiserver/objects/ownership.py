"""managedFields on the way into the store: who has set which field of an object.

Model:  what a client sends, with its defaults, is compared with what is stored before the server itself changes
        anything: what admission and the kind fill in is nobody's. Nor is what a binding changes.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache, partial

from jubako.cluster import fields
from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import parts
from jubako.cluster.fields import Conflicts, Writing, shape_of
from jubako.cluster.types import times
from jubako.cluster.types.decoding.body import conform
from jubako.cluster.types.defaulting import default
from jubako.cluster.types.document import Object, at, mapping
from jubako.cluster.types.empty import empty
from jubako.cluster.types.served import Kind


def made(request: Request, document: Object, now: datetime) -> None:
    """Note who makes an object, in place."""
    kind = request.attributes.resource.kind
    if request.operation == "Update":
        fields.track(shape_of(kind.message_name), _empty(kind), document, _writing(request, now), is_new=True)


def changed(request: Request, document: Object, old: Object, now: datetime) -> None:
    """Note who changes an object, in place."""
    if request.operation == "Update" and request.part != parts.BINDING:
        kind = request.attributes.resource.kind
        fields.track(shape_of(kind.message_name), old, document, _writing(request, now))


def applied(request: Request, config: Object, live: Object | None, now: datetime, *, force: bool) -> Object:
    """Return the object with a document applied, which is made of it where there is none. Raises Failure (409, 500)."""
    kind = request.attributes.resource.kind
    of = fields.Kind(shape_of(kind.message_name), _empty(kind), partial(_completed, kind))
    try:
        document = fields.applied(of, live or of.empty, config, _writing(request, now), force=force)
    except Conflicts as error:
        raise failures.apply_conflict(error) from None
    if not at(config, "metadata", "resourceVersion"):  # made of whatever the object is by then
        mapping(document["metadata"]).pop("resourceVersion", None)
    return document


def settled(request: Request, document: Object, old: Object) -> Object:
    """Return the object to store: the old one, where applying it again changed nothing but the time."""
    return fields.settled(document, old) if request.operation == "Apply" else document


def _completed(kind: Kind, document: Object) -> Object:
    """Return a document of its own, as it would be stored."""
    conformed, _ = conform(kind, document, "Ignore")
    default(kind, conformed)
    return conformed


def _writing(request: Request, now: datetime) -> Writing:
    asked = request.attributes
    below = asked.subresource.name if asked.subresource else ""
    has_status = asked.resource.subresource("status") is not None
    return Writing(
        manager=request.manager,
        operation=request.operation,
        api_version=asked.resource.kind.api_version,
        subresource=request.part,
        time=times.render(now),
        untouched=parts.untouched(asked.resource.kind, below, has_status=has_status),
    )


@lru_cache(maxsize=256)
def _empty(kind: Kind) -> Object:
    """Return an object of a kind of which nothing is set; nobody changes it."""
    return empty(kind.message)
