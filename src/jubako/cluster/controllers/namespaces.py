"""The end of a namespace: everything in it goes, then its finalizer, then itself.

Model: the server sets phase Terminating and keeps new objects out; `spec.finalizers` holds the namespace until nothing
       is left. What is left, and what waits for finalizers of its own, is told in conditions.
Spec:  kubernetes/pkg/controller/namespace/deletion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from jubako.cluster.controllers.actions import Action, Update, delete, set_status
from jubako.cluster.controllers.conditions import condition, made, without
from jubako.cluster.controllers.controller import Concerns, Controller, itself
from jubako.cluster.controllers.kinds import EVENT, NAMESPACE, Key, Kind, kind_of
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import (
    Object,
    finalizers,
    is_deleting,
    listed,
    mapping,
    namespace,
    objects,
    put,
    text,
    words,
)
from jubako.cluster.types.resources import resource_of

FINALIZER = "kubernetes"


class _Said(NamedTuple):
    type: str
    status: str
    reason: str
    message: str


_ALWAYS = (
    _Said("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"),
    _Said(
        "NamespaceDeletionGroupVersionParsingFailure",
        "False",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    _Said(
        "NamespaceDeletionContentFailure",
        "False",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
)
_REMAIN = _Said("NamespaceContentRemaining", "True", "SomeResourcesRemain", "")
_REMOVED = _Said("NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed")
_HELD = _Said("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", "")
_UNHELD = _Said(
    "NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished"
)


def reconcile(observed: Observed, key: Key) -> list[Action]:
    space = observed.get(NAMESPACE, key)
    if space is None or not is_deleting(space):
        return []
    if text(space, "status", "phase") != "Terminating":
        return set_status(space, put(mapping(space, "status"), "Terminating", "phase"))
    if FINALIZER not in words(space, "spec", "finalizers"):
        return []
    content = [each for each in _content(observed, key.name) if kind_of(each) != EVENT]
    told = _tell(observed, space, content)
    going = [delete(each, propagation="Background") for each in content if not is_deleting(each)]
    if content:
        return [*told, *going]
    events = [delete(each) for each in observed.all(EVENT, key.name)]
    left = [each for each in words(space, "spec", "finalizers") if each != FINALIZER]
    return told or [*events, Update(put(space, listed(left), "spec", "finalizers"), "finalize")]


def _content(observed: Observed, space: str) -> Iterable[Object]:
    for kind in observed.kinds():
        if kind != NAMESPACE:
            yield from observed.all(kind, space)


def _tell(observed: Observed, space: Object, content: list[Object]) -> list[Action]:
    """The conditions of a namespace that is ending, in Kubernetes' words."""
    resources = Counter(_resource(each) for each in content)
    waiting = Counter(finalizer for each in content for finalizer in finalizers(each))
    remaining = "Some resources are remaining: " + ", ".join(
        f"{what} has {count} resource instances" for what, count in sorted(resources.items())
    )
    held = "Some content in the namespace has finalizers remaining: " + ", ".join(
        f"{finalizer} in {count} resource instances" for finalizer, count in sorted(waiting.items())
    )
    wanted = [
        *_ALWAYS,
        _REMAIN._replace(message=remaining) if resources else _REMOVED,
        _HELD._replace(message=held) if waiting else _UNHELD,
    ]
    conditions = objects(space, "status", "conditions")
    for each in wanted:
        conditions = _with(space, conditions, made(*each, observed.now, condition(space, each.type)))
    return set_status(space, put(mapping(space, "status"), listed(conditions), "conditions"))


def _with(space: Object, conditions: list[Object], wanted: Object) -> list[Object]:
    """Unchanged unless the message is another."""
    known = condition(space, text(wanted, "type"))
    if known and {**wanted, "lastTransitionTime": None} == {**known, "lastTransitionTime": None}:
        return conditions
    return [*without(conditions, text(wanted, "type")), wanted]


def _resource(document: Object) -> str:
    kind = kind_of(document)
    group, _, version = kind.api_version.rpartition("/")
    found = resource_of(group, version, kind.name)
    plural = found.plural if found else f"{kind.name.lower()}s"
    return f"{plural}.{group}"


def _of_content(observed: Observed, document: Object) -> list[Key]:
    """A namespace that is ending, when something of it changes."""
    key = Key("", namespace(document))
    space = observed.get(NAMESPACE, key) if key.name else None
    return [key] if space is not None and is_deleting(space) else []


def controller(kinds: Iterable[Kind]) -> Controller:
    """`kinds` are all that have a namespace: what is not watched is not seen to be left."""
    concerns: dict[Kind, Concerns] = dict.fromkeys(kinds, _of_content)
    return Controller("namespace", {**concerns, NAMESPACE: itself}, reconcile)
