"""One object, made or brought to what a manifest says: the client's part of `apply`.

Model: what was applied stands in an annotation of the object, so that the next manifest can take away what it has no
       more. With server_side the server remembers who set what, and merges.
Spec:  "Declarative Management of Kubernetes Objects Using Configuration Files"; the annotation and the field managers
       are kubectl's, so that either program goes on where the other left off.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Literal

import msgspec

from jubako.cluster.client import gojson
from jubako.cluster.client.connection import Connection
from jubako.cluster.client.discovery import Type
from jubako.cluster.client.failure import Refused
from jubako.cluster.patch import MessageSchema, PatchSchema, PlainSchema, three_way
from jubako.cluster.types import resources
from jubako.cluster.types.document import Object, at, child, mapping, text

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MANAGER, _SERVER_SIDE_MANAGER = "kubectl-client-side-apply", "kubectl"
_STRATEGIC, _MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"
_TRIES = 5

DryRun = Literal["none", "client", "server"]


class How(msgspec.Struct, frozen=True, kw_only=True):
    """How things are applied; `validation` is what the server does with fields that it does not know."""

    dry_run: DryRun = "none"
    validation: str = "Strict"
    server_side: bool = False
    force_conflicts: bool = False
    manager: str = ""


class Applied(msgspec.Struct, frozen=True):
    """What became of an object; `missed` is whether it had no note of what was applied before."""

    document: Object
    verb: Literal["created", "configured", "unchanged", "serverside-applied"]
    missed: bool = False


class Applier:
    def __init__(self, connection: Connection, how: How) -> None:
        self._connection, self._how = connection, how
        manager = how.manager or (_SERVER_SIDE_MANAGER if how.server_side else _MANAGER)
        self._query = {"fieldManager": manager, "fieldValidation": how.validation}
        if how.dry_run == "server":
            self._query["dryRun"] = "All"

    def apply(self, of: Type, document: Object, source: str) -> Applied:
        """Make or change one object; `document` has its name and namespace. Raises Refused."""
        if self._how.server_side:
            return self._on_server(of, document)
        noted = _with_note(document)
        for attempt in range(_TRIES):
            current = self._current(of, noted, source)
            if current is None:
                return self._created(of, noted, source)
            try:
                return self._patched(of, noted, current, source)
            except Refused as refused:
                if refused.reason != "Conflict" or attempt == _TRIES - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _on_server(self, of: Type, document: Object) -> Applied:
        query = {**self._query, **({"force": "true"} if self._how.force_conflicts else {})}
        done = self._connection.call("PATCH", _path(of, document), query, document, content=_APPLY)
        return Applied(done, "serverside-applied")

    def _current(self, of: Type, document: Object, source: str) -> Object | None:
        try:
            return self._connection.get(_path(of, document))
        except Refused as refused:
            if refused.reason == "NotFound":
                return None
            where = f"retrieving current configuration of:\n{about(of, document)}\nfrom server for:"
            raise refused.while_doing(where, source) from None

    def _created(self, of: Type, document: Object, source: str) -> Applied:
        if self._how.dry_run == "client":
            return Applied(document, "created")
        try:
            path = of.path(text(at(document, "metadata", "namespace")))
            return Applied(self._connection.call("POST", path, self._query, document), "created")
        except Refused as refused:
            raise refused.while_doing("creating", source) from None

    def _patched(self, of: Type, document: Object, current: Object, source: str) -> Applied:
        note = text(at(current, "metadata", "annotations", LAST_APPLIED))
        if self._how.dry_run == "client":
            return Applied(current, "configured", not note)
        schema, content = _schema(of)
        patch = three_way(_noted(note), document, current, schema)
        if not patch:
            return Applied(current, "unchanged", not note)
        try:
            done = self._connection.call("PATCH", _path(of, document), self._query, patch, content=content)
        except Refused as refused:
            doing = f"applying patch:\n{gojson.compact(patch)}\nto:\n{about(of, document)}\nfor:"
            raise refused.while_doing("patching", source).while_doing(doing, source) from None
        return Applied(done, "configured", not note)


def about(of: Type, document: Object) -> str:
    """Return how kubectl tells which object it was about."""
    name, namespace = (text(at(document, "metadata", field)) for field in ("name", "namespace"))
    gv = f"{of.group}/{of.version}" if of.group else f"/{of.version}"
    kinds = f'Resource: "{gv}, Resource={of.plural}", GroupVersionKind: "{gv}, Kind={of.kind}"'
    return f'{kinds}\nName: "{name}", Namespace: "{namespace}"'


def _path(of: Type, document: Object) -> str:
    return of.path(text(at(document, "metadata", "namespace")), text(at(document, "metadata", "name")))


def _with_note(document: Object) -> Object:
    noted = deepcopy(document)
    annotations = child(child(noted, "metadata"), "annotations")
    annotations.pop(LAST_APPLIED, None)
    annotations[LAST_APPLIED] = gojson.compact(noted) + "\n"
    return noted


def _noted(note: str) -> Object:
    try:
        return mapping(msgspec.json.decode(note)) if note else {}
    except msgspec.MsgspecError:  # somebody has written into it: nothing is known of what was applied
        return {}


def _schema(of: Type) -> tuple[PatchSchema, str]:
    known = resources.resource_of(of.group, of.version, of.kind)
    return (MessageSchema(known.kind.message), _STRATEGIC) if known else (PlainSchema(), _MERGE)
