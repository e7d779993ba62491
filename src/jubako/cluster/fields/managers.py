"""The entries of managedFields, each the set of one manager.

Model:      who writes is told apart by name, operation and subresource, and an updater by the version too.
Invariant:  an entry has fields.
Spec:       "Server-Side Apply", Field management; meta/v1 ManagedFieldsEntry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from jubako.cluster.fields import elements, sets
from jubako.cluster.fields.sets import Fields
from jubako.cluster.types.document import JSON, Object, mapping, objects, text
from jubako.errors import InvalidArgument

Operation = Literal["Apply", "Update"]
Identity = tuple[str, str, str, str]
UPDATERS_MAX = 10
ANCIENT = "ancient-changes"
"""Has what the updaters had of whom there is no more room to tell."""
_MAX_DEPTH = 150


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    manager: str
    operation: Operation
    api_version: str
    time: str
    subresource: str = ""
    fields: Fields

    @property
    def identity(self) -> Identity:
        version = "" if self.operation == "Apply" else self.api_version
        return self.manager, self.operation, version, self.subresource

    def having(self, fields: Fields) -> Entry:
        return msgspec.structs.replace(self, fields=fields)


Managers = Mapping[Identity, Entry]


def by_identity(entries: Iterable[Entry]) -> dict[Identity, Entry]:
    """Return entries by whose they are; those without fields are none."""
    return {entry.identity: entry for entry in entries if entry.fields}


def read(managed: JSON) -> Managers:
    """Return what is stored, which was written by `document`."""
    return by_identity(_entry(each) for each in objects(managed))


def given(managed: JSON) -> Managers:
    """Return what a client sends. Raises InvalidArgument where it is none."""
    found = objects(managed)
    if any(each.get("operation") not in ("Apply", "Update") or each.get("fieldsType") != "FieldsV1" for each in found):
        raise InvalidArgument("metadata.managedFields: not entries of managers")
    sent = [(_entry(each), _canonical(each.get("fieldsV1"), 0)) for each in found]
    return by_identity(entry.having(fields) for entry, fields in sent)


def is_reset(managed: JSON) -> bool:
    """Whether a client wants to have them forgotten: one entry of which nothing is said."""
    return isinstance(managed, list) and len(managed) == 1 and not any(mapping(managed[0]).values())


def written(managers: Managers) -> list[JSON]:
    """Return the entries as an object has them: appliers first, each by time."""
    entries = sorted(_capped(managers).values(), key=lambda each: (each.operation, each.time, *each.identity))
    return [_document(entry) for entry in entries]


def _capped(managers: Managers) -> Managers:
    """Put what the oldest updaters have together, where there are too many."""
    updaters = sorted((each for each in managers.values() if each.operation == "Update"), key=lambda each: each.time)
    if len(updaters) <= UPDATERS_MAX:
        return managers
    found = dict(managers)
    for entry in [each for each in updaters if each.manager != ANCIENT][: len(updaters) - UPDATERS_MAX + 1]:
        del found[entry.identity]
        old = msgspec.structs.replace(entry, manager=ANCIENT, subresource="")
        known = found.get(old.identity)
        found[old.identity] = old.having(sets.union(known.fields, old.fields)) if known else old
    return found


def _entry(document: Object) -> Entry:
    fields = mapping(document.get("fieldsV1"))
    return Entry(
        manager=text(document.get("manager")),
        operation="Apply" if document.get("operation") == "Apply" else "Update",
        api_version=text(document.get("apiVersion")),
        time=text(document.get("time")),
        subresource=text(document.get("subresource")),
        fields=fields,  # type: ignore[arg-type]
    )


def _document(entry: Entry) -> Object:
    found: Object = {"manager": entry.manager, "operation": entry.operation, "apiVersion": entry.api_version}
    if entry.time:
        found["time"] = entry.time
    fields: JSON = entry.fields  # type: ignore[assignment]
    found |= {"fieldsType": "FieldsV1", "fieldsV1": fields}
    return {**found, "subresource": entry.subresource} if entry.subresource else found


def _canonical(fields: JSON, depth: int) -> Fields:
    if not isinstance(fields, dict) or depth > _MAX_DEPTH:
        raise InvalidArgument("metadata.managedFields: not a set of fields")
    return {elements.canonical(name): _canonical(node, depth + 1) for name, node in fields.items()}
