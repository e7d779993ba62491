"""What controllers see: a copy of the store's objects, kept by watching it and by the answers to our own writes.

Model:       one object by kind and key, with indexes by namespace, by the uid of owners, and of what nothing controls.
Invariant:   an object only ever gets newer: what the watch brings later than our own write's answer, but is older, is
             dropped, also for objects that we removed. So no decision is made without what was decided and done
             before, and a slow watch never makes a controller act twice. (Kubernetes' controllers keep counts of
             expected changes for this; one process over one sequence of revisions needs none.)
Concurrency: one thread. An `Observed` is good until the next change of its cache: for one call of a controller.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jubako.cluster.controllers.kinds import Key, Kind, key_of, kind_of
from jubako.cluster.objects import (
    Object,
    controller_of,
    is_controlled_by,
    owner_references,
    resource_version,
    text,
    uid,
    whole,
)

Found = tuple[Kind, Key]


def revision(document: Object) -> int:
    return whole(resource_version(document)) or 0


class Cache:
    """The newest known version of each object."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[Key, Object]] = {}
        self._namespaces: dict[tuple[Kind, str], dict[Key, Object]] = {}
        self._uncontrolled: dict[tuple[Kind, str], dict[Key, Object]] = {}
        self._dependents: dict[str, dict[Found, None]] = {}
        self._removed: dict[Found, int] = {}
        self._reached: dict[Kind, int] = {}

    def find(self, kind: Kind, key: Key) -> Object | None:
        return self._objects.get(kind, {}).get(key)

    def put(self, document: Object) -> bool:
        """Take in a version of an object; False when the cache knows a newer one, or this."""
        found = kind_of(document), key_of(document)
        known = self.find(*found)
        # What is not known though the watch is past its revision was removed: an answer that came late.
        seen = revision(known) if known else self._reached.get(found[0], 0)
        if revision(document) <= max(seen, self._removed.get(found, 0)):
            return False
        if known:
            self._unlink(found, known)
        self._removed.pop(found, None)
        self._objects.setdefault(found[0], {})[found[1]] = document
        self._namespaces.setdefault((found[0], found[1].namespace), {})[found[1]] = document
        if controller_of(document) is None:
            self._uncontrolled.setdefault((found[0], found[1].namespace), {})[found[1]] = document
        for reference in owner_references(document):
            self._dependents.setdefault(text(reference, "uid"), {})[found] = None
        return True

    def remove(self, document: Object, at_revision: int) -> bool:
        """Take in that an object is gone as of a revision; False when the cache knows something newer."""
        found = kind_of(document), key_of(document)
        known = self.find(*found)
        if at_revision < max(revision(known) if known else 0, self._removed.get(found, 0)):
            return False
        self._removed[found] = at_revision
        if known is None:
            return False
        self._unlink(found, known)
        return True

    def replace(self, kind: Kind, documents: Iterable[Object], at_revision: int) -> list[Object]:
        """Take in a whole list of a kind as of a revision; returns what has changed by it, old and new versions."""
        listed = {key_of(document): document for document in documents}
        known = list(self._objects.get(kind, {}).values())
        gone = [document for document in known if key_of(document) not in listed]
        changed = [document for document in gone if self.remove(document, at_revision)]
        return changed + [document for document in listed.values() if self.put(document)]

    def reached(self, kind: Kind, up_to: int) -> None:
        """The watch of a kind has come to a revision: what is there of it by then is known."""
        self._reached[kind] = max(up_to, self._reached.get(kind, 0))
        late = [found for found, gone in self._removed.items() if found[0] == kind and gone <= up_to]
        for found in late:
            del self._removed[found]

    def all(self, kind: Kind, namespace: str | None = None) -> Iterator[Object]:
        held = self._objects.get(kind, {}) if namespace is None else self._namespaces.get((kind, namespace), {})
        return iter(list(held.values()))

    def uncontrolled(self, kind: Kind, namespace: str) -> Iterator[Object]:
        return iter(list(self._uncontrolled.get((kind, namespace), {}).values()))

    def dependents(self, owner_uid: str) -> Iterator[Object]:
        for kind, key in list(self._dependents.get(owner_uid, ())):
            if (document := self.find(kind, key)) is not None:
                yield document

    def kinds(self) -> Iterator[Kind]:
        return iter(list(self._objects))

    def _unlink(self, found: Found, known: Object) -> None:
        del self._objects[found[0]][found[1]]
        del self._namespaces[found[0], found[1].namespace][found[1]]
        self._uncontrolled.get((found[0], found[1].namespace), {}).pop(found[1], None)
        for reference in owner_references(known):
            of_owner = self._dependents.get(text(reference, "uid"), {})
            of_owner.pop(found, None)
            if not of_owner:
                self._dependents.pop(text(reference, "uid"), None)


class Observed:
    """The cache at one moment, for one call: `now` in seconds since 1970, and why the key's last attempt failed."""

    def __init__(self, cache: Cache, now: float, failure: str = "") -> None:
        self._cache = cache
        self.now = now
        self.failure = failure

    def get(self, kind: Kind, key: Key) -> Object | None:
        return self._cache.find(kind, key)

    def all(self, kind: Kind, namespace: str | None = None) -> list[Object]:
        """All objects of a kind, of one namespace or of all; their order is no promise."""
        return list(self._cache.all(kind, namespace))

    def controlled(self, kind: Kind, owner: Object) -> list[Object]:
        """The objects of a kind that `owner` controls."""
        found = self._cache.dependents(uid(owner))
        return [each for each in found if kind_of(each) == kind and is_controlled_by(each, owner)]

    def uncontrolled(self, kind: Kind, namespace: str) -> list[Object]:
        """The objects of a kind that nothing controls: who selects them may adopt them."""
        return list(self._cache.uncontrolled(kind, namespace))

    def dependents(self, owner_uid: str) -> list[Object]:
        """Every object that names this owner."""
        return list(self._cache.dependents(owner_uid))

    def kinds(self) -> list[Kind]:
        return list(self._cache.kinds())
