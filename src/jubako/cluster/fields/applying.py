"""Server-side apply: what an applier says over what there is, without what it said before and says no more.

Spec: "Server-Side Apply"; structured-merge-diff, merge.Updater; the upgrade from client-side apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from jubako import errors
from jubako.cluster.fields import lastapplied, managers, sets
from jubako.cluster.fields.comparing import Comparison, compare
from jubako.cluster.fields.managers import Entry, Identity, Managers
from jubako.cluster.fields.merging import merged
from jubako.cluster.fields.reading import fields_of
from jubako.cluster.fields.removing import given_up
from jubako.cluster.fields.sets import Fields, Path
from jubako.cluster.fields.shapes import Shape
from jubako.cluster.fields.tracking import MANAGED, Writing, lessened, updated
from jubako.cluster.types.document import Object, mapping

BEFORE = "before-first-apply"
"""Has what an object without managers consists of when it is first applied to."""


class Conflicts(errors.Conflict):
    """Others have fields that an applier wants otherwise: `found` has each entry and path."""

    def __init__(self, found: list[tuple[Entry, Path]]) -> None:
        super().__init__(f"Apply failed with {len(found)} conflicts")
        self.found = found


class _Attempt(msgspec.Struct, frozen=True):
    """A document that was applied, what of it is the applier's `own`, and what `others` have before conflicts are
    decided."""

    document: Object
    own: Entry
    others: Managers
    changes: Comparison


class Kind(msgspec.Struct, frozen=True):
    """What applying must know of a kind: its shape, an object of which nothing is set, and what completes a document,
    which two documents that say the same in other words are equal by."""

    shape: Shape
    empty: Object
    completed: Callable[[Object], Object] = lambda document: document


def applied(kind: Kind, live: Object, config: Object, writing: Writing, *, force: bool) -> Object:
    """Return the document that applying makes of the `live` one, with its managers. Raises Conflicts, Unkeyed."""
    begins = managers.read(mapping(live.get("metadata")).get(MANAGED))
    bare = _without_managers(live)
    if not begins:
        first = msgspec.structs.replace(writing, manager=BEFORE, operation="Update")
        begins = updated({}, compare(kind.shape, kind.empty, bare), first)
    attempt = _attempt(kind, bare, config, writing, begins)
    if not force and (found := list(_conflicts(attempt))):
        _check_upgrade(kind.shape, bare, writing, found)
    after = managers.by_identity([*lessened(attempt.others, attempt.changes).values(), attempt.own])
    document = attempt.document
    if writing.manager == lastapplied.CLIENT:
        document = lastapplied.renewed(document, config)
    metadata = {**mapping(document.get("metadata")), MANAGED: managers.written(after)}
    return {**document, "metadata": metadata}


def settled(document: Object, live: Object) -> Object:
    """Return the `live` document where all that is new in the other is when it was applied."""
    managed = [managers.read(mapping(each.get("metadata")).get(MANAGED)) for each in (document, live)]
    same = _timeless(managed[0]) == _timeless(managed[1]) and _without_managers(document) == _without_managers(live)
    return live if same else document


def _attempt(kind: Kind, bare: Object, config: Object, writing: Writing, begins: Managers) -> _Attempt:
    shape = kind.shape
    said = fields_of(shape, config)
    own = writing.entry(said)
    others = {identity: entry for identity, entry in begins.items() if identity != own.identity}
    document = merged(shape, bare, config)
    if last := begins.get(own.identity):
        document = given_up(shape, document, last.fields, [said, *(each.fields for each in others.values())])
    document = kind.completed(document)
    changes = compare(shape, bare, document).without(writing.untouched)
    return _Attempt(document, own, others, changes.with_emptied(said))


def _conflicts(attempt: _Attempt) -> Iterator[tuple[Entry, Path]]:
    for entry in attempt.others.values():
        for path in sets.paths(sets.intersection(entry.fields, attempt.changes.set)):
            yield entry, path


def _check_upgrade(shape: Shape, bare: Object, writing: Writing, found: list[tuple[Entry, Path]]) -> None:
    """Who has applied in the client takes over what it applied there. Raises Conflicts for the rest."""
    own: Fields = lastapplied.fields(shape, bare) if writing.manager == lastapplied.CLIENT else {}
    allowed = set(sets.paths(own))
    if left := [each for each in found if each[1] not in allowed]:
        raise Conflicts(left)


def _timeless(of: Managers) -> dict[Identity, Entry]:
    return {name: msgspec.structs.replace(entry, time="") for name, entry in of.items()}


def _without_managers(document: Object) -> Object:
    metadata = mapping(document.get("metadata"))
    return {**document, "metadata": {name: held for name, held in metadata.items() if name != MANAGED}}
