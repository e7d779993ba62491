"""The documents that a story is made from."""

from __future__ import annotations

from datetime import datetime

import msgspec

from jubako.cluster.types.columns.ages import age
from jubako.cluster.types.document import JSON, Object, at, integer, objects, strings, text


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that was fetched. What is not in `others` (by kind and name) does not exist.

    `logs` are last lines, by pod and container; `flags` is what proposed commands need to find the namespace.
    """

    now: datetime
    events: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    replica_sets: tuple[Object, ...] = ()
    slices: tuple[Object, ...] = ()
    nodes: tuple[Object, ...] = ()
    others: dict[tuple[str, str], Object] = {}
    logs: dict[tuple[str, str], tuple[str, ...]] = {}
    flags: str = ""

    def of(self, document: Object) -> list[Object]:
        """Return the events about an object, the newest first."""
        uid = at(document, "metadata", "uid")
        found = [each for each in self.events if at(each, "involvedObject", "uid") == uid]
        return sorted(found, key=last_seen, reverse=True)

    def event(self, document: Object, *reasons: str) -> Object | None:
        """Return the newest event about an object that has one of the reasons."""
        return next((each for each in self.of(document) if text(each.get("reason")) in reasons), None)

    def find(self, kind: str, name: str) -> Object | None:
        return self.others.get((kind, name))

    def node(self, name: str) -> Object | None:
        return next((each for each in self.nodes if name_of(each) == name), None)

    def ago(self, moment: JSON) -> str:
        return age(moment, self.now)


def last_seen(event: Object) -> str:
    return text(event.get("lastTimestamp")) or text(event.get("eventTime"))


def message(event: Object | None) -> str:
    return text(event.get("message")).strip() if event else ""


def name_of(document: Object) -> str:
    return text(at(document, "metadata", "name"))


def condition(document: Object, kind: str) -> Object:
    """Return a condition of an object, an empty one where it has none."""
    found = objects(at(document, "status", "conditions"))
    return next((each for each in found if each.get("type") == kind), {})


def is_ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True"


def is_owned(document: Object, owner: Object) -> bool:
    uid = at(owner, "metadata", "uid")
    return any(each.get("uid") == uid for each in objects(at(document, "metadata", "ownerReferences")))


def labels(document: Object) -> dict[str, str]:
    return strings(at(document, "metadata", "labels"))


def replicas(document: Object) -> int:
    return integer(at(document, "spec", "replicas"), 1)
