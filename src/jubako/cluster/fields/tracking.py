"""What an update makes of managedFields: who writes a field takes it from all others.

Model:  an object that has no managers gets none by an update: only making it or the first apply begins. A client that
        sends managedFields sets them; one that sends none, or nonsense, leaves them as they are.
"""

from __future__ import annotations

import msgspec

from jubako.cluster.fields import managers, sets
from jubako.cluster.fields.comparing import Comparison, compare
from jubako.cluster.fields.managers import Entry, Identity, Managers, Operation
from jubako.cluster.fields.sets import Fields
from jubako.cluster.fields.shapes import Shape, Unkeyed
from jubako.cluster.types.document import JSON, Object, child, mapping
from jubako.errors import InvalidArgument

MANAGED = "managedFields"
# What identifies an object, and what only the server sets, is nobody's.
_NOBODYS: Fields = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        f"f:{name}": {}
        for name in (
            *("name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "resourceVersion"),
            MANAGED,
        )
    },
}


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes, as which version, when; `untouched` is what the verb can not change, whatever the document says."""

    manager: str
    operation: Operation = "Update"
    api_version: str
    subresource: str = ""
    time: str
    untouched: Fields = {}

    def entry(self, fields: Fields) -> Entry:
        return Entry(
            manager=self.manager,
            operation=self.operation,
            api_version=self.api_version,
            time=self.time,
            subresource=self.subresource,
            fields=self.own(fields),
        )

    @property
    def identity(self) -> Identity:
        return self.entry({}).identity

    def own(self, fields: Fields) -> Fields:
        """Return what of a set can be somebody's."""
        return sets.without(sets.without(fields, _NOBODYS), self.untouched)


def track(shape: Shape, old: Object, new: Object, writing: Writing, *, is_new: bool = False) -> None:
    """Set managedFields of `new`, in place; `old` is an empty object where it is new."""
    metadata = child(new, "metadata")
    live = mapping(old.get("metadata")).get(MANAGED)
    begins = known(metadata.pop(MANAGED, None), live, writing)
    if not begins and not is_new:
        return
    try:
        after = updated(begins, compare(shape, old, new), writing)
    except Unkeyed:  # nothing can be told of a list whose elements can not be told apart
        after = begins
    if entries := managers.written(after):
        metadata[MANAGED] = entries


def known(sent: JSON, live: JSON, writing: Writing) -> Managers:
    """Return the managers that there are as a write begins."""
    if sent and sent != live and not writing.subresource:
        if managers.is_reset(sent):
            return {}
        try:
            if found := managers.given(sent):
                return found
        except InvalidArgument:
            pass
    return managers.read(live)


def updated(begins: Managers, changes: Comparison, writing: Writing) -> Managers:
    """Return the managers after an update; the same where it changed nothing that can be somebody's."""
    changes = changes.without(writing.untouched)
    taken = writing.entry(changes.set)
    left = lessened(begins, changes, but=taken.identity)
    if not taken.fields:
        return left
    before = left[taken.identity].fields if taken.identity in left else {}
    whole = before if sets.covers(before, taken.fields) else sets.union(before, taken.fields)
    return {**left, taken.identity: taken.having(whole)}


def lessened(begins: Managers, changes: Comparison, but: Identity | None = None) -> Managers:
    """Return the managers without what was removed, and all `but` the one who did it without what was changed."""
    if not changes:
        return begins
    gone = sets.union(changes.set, changes.removed)
    return managers.by_identity(
        each.having(sets.difference(each.fields, changes.removed if each.identity == but else gone))
        for each in begins.values()
    )
