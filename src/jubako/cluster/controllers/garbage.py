"""The garbage collector: what goes with its owner.

Model:     an object names its owners by uid. One whose owners are all gone is deleted. Foreground: the owner waits,
           with the finalizer foregroundDeletion, until the dependents that block it are gone. Orphan: with the
           finalizer orphan, the owner's name is taken out of its dependents first.
Invariant: an owner that is only not seen is not taken for gone: an owner of a kind that is not watched holds what it
           owns.
Spec:      kubernetes/pkg/controller/garbagecollector.
"""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cluster.controllers.actions import Action, Actions, Propagation, delete, with_owners, without_finalizer
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.kinds import EVENT, Key, Kind, key_of, kind_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import (
    Object,
    finalizers,
    flag,
    is_deleting,
    name,
    namespace,
    owner_references,
    text,
    uid,
)

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


def collect(observed: Observed, document: Object, watched: frozenset[str]) -> list[Action]:
    """What is due for one object; `watched` has the kinds (without versions) that would be seen."""
    if not is_deleting(document):
        return _judge(observed, document, watched)
    if ORPHAN in finalizers(document):
        return _orphan(observed, document)
    if FOREGROUND in finalizers(document):
        return _end_in_foreground(observed, document)
    return []


def _judge(observed: Observed, document: Object, watched: frozenset[str]) -> list[Action]:
    """Delete what has no owner left; where one is left, forget those that are not."""
    references = owner_references(document)
    owners = [_owner(observed, document, reference, watched) for reference in references]
    solid = [each for each, owner in zip(references, owners, strict=True) if owner is not None and not _waits(owner)]
    if len(solid) == len(references):
        return []
    if solid:
        return [with_owners(document, solid)]
    is_waited_for = any(owner is not None for owner in owners)
    if is_waited_for and _closes_circle(observed, document):
        return [with_owners(document, [{**each, "blockOwnerDeletion": False} for each in references])]
    return [delete(document, exactly=True, propagation=_way(observed, document, is_waited_for))]


def _owner(observed: Observed, document: Object, reference: Object, watched: frozenset[str]) -> Object | None:
    """The owner that a reference means; None when it is gone. One that cannot be seen is taken to be there."""
    if _sort(text(reference, "apiVersion"), text(reference, "kind")) not in watched:
        return reference
    kind = Kind(text(reference, "apiVersion"), text(reference, "kind"))
    for where in (namespace(document), ""):
        found = observed.get(kind, Key(where, text(reference, "name")))
        if found is not None and uid(found) == text(reference, "uid"):
            return found
    return None


def _waits(owner: Object) -> bool:
    return is_deleting(owner) and FOREGROUND in finalizers(owner)


def _way(observed: Observed, document: Object, is_waited_for: bool) -> Propagation:
    """As its finalizers ask; in the foreground where an owner waits and this holds others; else in the background."""
    if ORPHAN in finalizers(document):
        return "Orphan"
    if FOREGROUND in finalizers(document):
        return "Foreground"
    blocks = any(_blocks(each, document) for each in observed.dependents(uid(document)))
    return "Foreground" if is_waited_for and blocks else "Background"


def _closes_circle(observed: Observed, document: Object) -> bool:
    """Whether an object holds up its owners while what it owns waits as well: the circle would never end."""
    holds = any(flag(each, "blockOwnerDeletion") for each in owner_references(document))
    return holds and any(_waits(each) for each in observed.dependents(uid(document)))


def _blocks(dependent: Object, owner: Object) -> bool:
    references = owner_references(dependent)
    return any(text(each, "uid") == uid(owner) and flag(each, "blockOwnerDeletion") for each in references)


def _end_in_foreground(observed: Observed, owner: Object) -> list[Action]:
    """Its dependents go, each by its own judgement; when none blocks any more, the owner is let go."""
    if any(_blocks(each, owner) for each in observed.dependents(uid(owner))):
        return []
    return [without_finalizer(owner, FOREGROUND)]


def _orphan(observed: Observed, owner: Object) -> list[Action]:
    freed: list[Action] = []
    for each in observed.dependents(uid(owner)):
        freed.append(with_owners(each, [known for known in owner_references(each) if text(known, "uid") != uid(owner)]))
    return [*freed, without_finalizer(owner, ORPHAN)]


def _sort(api_version: str, kind: str) -> str:
    """A kind without its version: an owner may be named by another one."""
    return f"{kind}.{api_version.rpartition('/')[0]}"


def controller(kinds: Iterable[Kind]) -> Controller:
    """`kinds` are all that are watched, Events aside. A key says of which kind it is."""
    every = [kind for kind in kinds if kind != EVENT]
    watched = frozenset(_sort(*kind) for kind in every)

    def reconcile(observed: Observed, key: Key) -> Actions:
        document = observed.get(key.kind, Key(key.namespace, key.name)) if key.kind else None
        return [] if document is None else collect(observed, document, watched)

    return Controller("garbage-collector", dict.fromkeys(every, _concerned), reconcile)


def _concerned(observed: Observed, changed: Object) -> Iterable[Key]:
    """The object itself; owners that wait for it; and what it owns, when it goes."""
    if owner_references(changed) or is_deleting(changed):
        yield _keyed(changed)
    for owner in _owners_of(observed, changed):
        yield _keyed(owner)
    if is_deleting(changed) or observed.get(kind_of(changed), key_of(changed)) is None:
        for dependent in observed.dependents(uid(changed)):
            yield _keyed(dependent)


def _keyed(document: Object) -> Key:
    return Key(namespace(document), name(document), kind_of(document))


def _owners_of(observed: Observed, document: Object) -> Iterable[Object]:
    """The owners that are being deleted."""
    for reference in owner_references(document):
        kind = Kind(text(reference, "apiVersion"), text(reference, "kind"))
        for where in (namespace(document), ""):
            owner = observed.get(kind, Key(where, text(reference, "name")))
            if owner is not None and is_deleting(owner):
                yield owner
