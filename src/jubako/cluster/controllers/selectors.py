"""Label selectors, and the claim that a controller lays to what it selects.

Spec: k8s.io/apimachinery LabelSelector; k8s.io/kubernetes/pkg/controller, "ControllerRefManager".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jubako.cluster.controllers.actions import Action, with_owners
from jubako.cluster.controllers.kinds import Kind
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.objects import (
    Object,
    is_deleting,
    labels,
    mapping,
    namespace,
    objects,
    owner_reference,
    owner_references,
    strings,
    text,
    uid,
)
from jubako.cluster.types.selection import matches


def is_empty(selector: Object) -> bool:
    return not strings(selector, "matchLabels") and not objects(selector, "matchExpressions")


def selects(owner: Object, document: Object) -> bool:
    """Whether `owner`'s spec.selector is of the document's namespace and accepts its labels."""
    selector = mapping(owner, "spec", "selector")
    return namespace(owner) == namespace(document) and not is_empty(selector) and matches(selector, labels(document))


@dataclass(frozen=True)
class Claim:
    """What is an owner's, and the actions by which it adopts and releases."""

    objects: list[Object]
    actions: list[Action]


def claim(observed: Observed, kind: Kind, owner: Object, accepts: Callable[[Object, Object], bool] = selects) -> Claim:
    """Take what `owner` controls and accepts; adopt such orphans, release what no longer matches."""
    held: list[Object] = []
    actions: list[Action] = []
    for document in observed.controlled(kind, owner):
        if accepts(owner, document):
            held.append(document)
        elif not is_deleting(owner):
            actions.append(_release(document, owner))
    if not is_deleting(owner):
        orphans = observed.uncontrolled(kind, namespace(owner))
        adopted = [each for each in orphans if not is_deleting(each) and accepts(owner, each)]
        held += adopted
        actions += [_adopt(each, owner) for each in adopted]
    return Claim(held, actions)


def _adopt(document: Object, owner: Object) -> Action:
    references = [each for each in owner_references(document) if text(each, "uid") != uid(owner)]
    return with_owners(document, [*references, owner_reference(owner)])


def _release(document: Object, owner: Object) -> Action:
    return with_owners(document, [each for each in owner_references(document) if text(each, "uid") != uid(owner)])
