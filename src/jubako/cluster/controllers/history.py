"""ControllerRevisions: the templates that a StatefulSet or a DaemonSet had, kept as objects.

Model: a revision holds the part of the spec that pods are made of; its name is the owner's and a hash of that, so it is
       made once. A return to an old template gives its revision the highest number again.
Spec:  kubernetes/pkg/controller/history.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from jubako.cluster.controllers.actions import Action, Create, Update, delete, set_status
from jubako.cluster.controllers.kinds import CONTROLLER_REVISION, Key
from jubako.cluster.controllers.observed import Observed
from jubako.cluster.controllers.selectors import claim
from jubako.cluster.objects import (
    Object,
    at,
    is_controlled_by,
    is_deleting,
    mapping,
    name,
    namespace,
    number,
    owner_reference,
    put,
    text,
)

HASH_LABEL = "controller.kubernetes.io/hash"
POD_LABEL = "controller-revision-hash"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True)
class History:
    """The revisions of an owner by age, and the one of its present template (None until it is made)."""

    all: list[Object]
    update: Object | None
    actions: list[Action]

    def named(self, revision: str) -> Object | None:
        return next((each for each in self.all if name(each) == revision), None)


def history(observed: Observed, owner: Object, hash_label: str) -> History:
    """The revisions of `owner`, and the actions that make its present one the newest.

    An owner that is being deleted gets none made: it may be waiting for the last of them to go.
    """
    claimed = claim(observed, CONTROLLER_REVISION, owner)
    if claimed.actions:
        return History([], None, claimed.actions)
    ordered = sorted(claimed.objects, key=lambda each: (number(each, "revision"), name(each)))
    same = [each for each in ordered if each.get("data") == data(owner)]
    if not same and is_deleting(owner):
        return History(ordered, None, [])
    if not same:
        return History(ordered, None, _make(observed, owner, ordered, hash_label))
    update, newest = same[-1], number(ordered[-1], "revision")
    if number(update, "revision") == newest:
        return History(ordered, update, [])
    return History(ordered, update, [Update(put(update, newest + 1, "revision"))])


def data(owner: Object) -> Object:
    """What a revision keeps, in the form of a patch that replaces the template."""
    return {"spec": {"template": {**mapping(owner, "spec", "template"), "$patch": "replace"}}}


def template_of(revision: Object) -> Object:
    return {key: value for key, value in mapping(revision, "data", "spec", "template").items() if key != "$patch"}


def _make(observed: Observed, owner: Object, ordered: list[Object], hash_label: str) -> list[Action]:
    hash_ = fingerprint(data(owner), number(owner, "status", "collisionCount"))
    key = Key(namespace(owner), f"{name(owner)}-{hash_}")
    taken = observed.get(CONTROLLER_REVISION, key)
    if taken is not None and not (is_controlled_by(taken, owner) and taken.get("data") == data(owner)):
        count = number(owner, "status", "collisionCount") + 1
        return set_status(owner, put(mapping(owner, "status"), count, "collisionCount"))
    newest = number(ordered[-1], "revision") if ordered else 0
    metadata: Object = {
        "name": key.name,
        "namespace": key.namespace,
        "labels": {**mapping(owner, "spec", "template", "metadata", "labels"), hash_label: hash_},
        "ownerReferences": [owner_reference(owner)],
    }
    if described := mapping(owner, "metadata", "annotations"):
        metadata["annotations"] = {key: value for key, value in described.items() if not key.startswith("kubectl.")}
    kind: Object = {"apiVersion": CONTROLLER_REVISION.api_version, "kind": CONTROLLER_REVISION.name}
    return [Create({**kind, "metadata": metadata, "data": data(owner), "revision": newest + 1})]


def fingerprint(document: Object, collisions: int) -> str:
    """A hash of a document as it stands in names."""
    written = json.dumps(document, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(f"{written}{collisions or ''}".encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:10])


def surplus(owner: Object, found: History, in_use: set[str]) -> list[Action]:
    """Delete the oldest revisions that nothing uses, beyond the history that is to be kept."""
    limit = number(owner, "spec", "revisionHistoryLimit", absent=10)
    idle = [each for each in found.all if name(each) not in in_use]
    return [delete(each, exactly=True) for each in idle[: max(len(idle) - limit, 0)]]


def is_of(pod: Object, value: str) -> bool:
    """Whether a pod was made of the revision of this label."""
    return bool(value) and text(at(pod, "metadata", "labels"), POD_LABEL) == value
