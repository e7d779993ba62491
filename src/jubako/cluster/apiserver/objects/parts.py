"""The parts of an object that have verbs of their own: what each writes, and what it leaves as it was.

Spec: API conventions, "Spec and Status"; "Server-Side Apply", reset fields.
"""

from __future__ import annotations

from functools import lru_cache

from jubako.cluster.fields import Fields
from jubako.cluster.fields.tracking import MANAGED
from jubako.cluster.types.document import Object, child, mapping
from jubako.cluster.types.served import Kind

STATUS, EPHEMERAL = "status", "ephemeralcontainers"
BINDING = "binding"
"""Gives a pod its node and says so in its status, which no other verb may at once."""
_ADDED = "ephemeralContainers"
_NOT_WITH_STATUS = ("ownerReferences", "finalizers", "labels")


@lru_cache(maxsize=256)
def untouched(kind: Kind, part: str, *, has_status: bool) -> Fields:
    """Return the fields that a part does not write, whatever a document says: nobody owns them by it."""
    names = kind.message.by_name
    if part == STATUS:
        rest: Fields = {f"f:{name}": {} for name in names if name not in ("status", "metadata")}
        return {**rest, "f:metadata": {f"f:{name}": {} for name in _NOT_WITH_STATUS}}
    if part == EPHEMERAL and (spec := names["spec"].message):
        rest = {f"f:{name}": {} for name in names if name != "spec"}
        return {**rest, "f:spec": {f"f:{name}": {} for name in spec.by_name if name != _ADDED}}
    return {"f:status": {}} if has_status and not part else {}


def keep_all_but_status(document: Object, old: Object) -> None:
    """Labels and annotations may come with a status for some kinds; of the rest nothing does."""
    for name in set(document) | set(old):
        if name not in ("status", "metadata"):
            replace(document, name, old)
    metadata, before = child(document, "metadata"), mapping(old.get("metadata"))
    for name in _NOT_WITH_STATUS:
        replace(metadata, name, before)


def keep_all_but_ephemeral(document: Object, old: Object) -> None:
    """A container that is put into a running pod is all that this part has."""
    added = mapping(document.get("spec")).get(_ADDED)
    for name in (set(document) | set(old)) - {"metadata"}:
        replace(document, name, old)
    managed = mapping(document.get("metadata")).get(MANAGED)
    document["metadata"] = {**mapping(old.get("metadata")), MANAGED: managed}
    spec = {name: held for name, held in mapping(document.get("spec")).items() if name != _ADDED}
    document["spec"] = {**spec, _ADDED: added} if added else spec


def replace(document: Object, name: str, old: Object) -> None:
    """Let a field be as it was."""
    document.pop(name, None)
    if name in old:
        document[name] = old[name]
