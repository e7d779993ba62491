"""PATCH: a body of one of the four types -> a change of a document.

Spec: "Update API Objects in Place Using kubectl patch"; RFC 6902; RFC 7386; "Kubernetes API Concepts", Patch.
"""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.http import bodies
from jubako.cluster.apiserver.http.parameters import Parameters, check_patch
from jubako.cluster.patch import MessageSchema, Unprocessable, apply_json, apply_merge, apply_strategic
from jubako.cluster.types.decoding.body import conform
from jubako.cluster.types.decoding.parsing import parse
from jubako.cluster.types.document import JSON, Object, mapping
from jubako.cluster.types.served import Kind
from jubako.errors import InvalidArgument, JubakoError

JSON_PATCH, MERGE, STRATEGIC = (
    f"application/{name}+json" for name in ("json-patch", "merge-patch", "strategic-merge-patch")
)
_TYPES = (JSON_PATCH, MERGE, STRATEGIC)
APPLY = "application/apply-patch+yaml"


async def change_of(
    request: web.Request, kind: Kind, asked: Parameters
) -> tuple[Callable[[Object], Object], list[str]]:
    """Return the change that a request asks for, and a list into which its warnings come. Raises Failure (400, 415)."""
    check_patch(asked, applies=False)
    media_type = request.content_type
    if media_type not in _TYPES:
        accepted = ", ".join((*_TYPES, APPLY))
        message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
        raise failures.failure(415, "UnsupportedMediaType", message)
    patch = _parsed(await bodies.read(request))
    warnings: list[str] = []

    def change(old: Object) -> Object:
        try:
            document, problems = conform(kind, _applied(media_type, kind, old, patch), asked.validation)
        except Unprocessable as error:
            raise failures.failure(422, "Invalid", error.message) from None
        except JubakoError as error:
            raise failures.of(error) from None
        warnings[:] = problems
        return _unversioned(document, old)

    return change, warnings


def _parsed(body: bytes) -> JSON:
    try:
        return parse(body)
    except InvalidArgument as error:
        raise failures.bad_request(f"error decoding patch: {error.message}") from None


def _applied(media_type: str, kind: Kind, old: Object, patch: JSON) -> Object:
    if media_type == JSON_PATCH:
        return mapping(apply_json(old, patch))
    if not isinstance(patch, dict):
        raise failures.bad_request("error decoding patch: it is no object")
    if media_type == MERGE:
        return mapping(apply_merge(old, patch))
    return apply_strategic(old, patch, MessageSchema(kind.message))


def _unversioned(document: Object, old: Object) -> Object:
    """A patch that names no version is made of whatever the object is by then."""
    metadata = mapping(document.get("metadata"))
    if metadata.get("resourceVersion") == mapping(old["metadata"]).get("resourceVersion"):
        metadata.pop("resourceVersion", None)
    return document
