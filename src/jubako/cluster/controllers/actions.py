"""What a controller may ask for: values that say it, performed elsewhere, in order, up to the first that fails.

Invariant: every write that replaces or removes something names what it was decided upon (a resourceVersion or a uid),
so that a decision upon something old is refused rather than carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from jubako.cluster.controllers.kinds import Key, Kind, key_of, kind_of
from jubako.cluster.objects import Object, finalizers, listed, put, resource_version, uid

Propagation = Literal["Background", "Foreground", "Orphan"]


@dataclass(frozen=True)
class EmitEvent:
    """Tell of something about `regarding`; `{name}` and `{error}` stand for what the write it tells of has answered."""

    regarding: Object
    reason: str
    message: str
    type: Literal["Normal", "Warning"] = "Normal"
    action: str = ""


@dataclass(frozen=True)
class Create:
    """Create an object; `created` and `refused` tell of it."""

    object: Object
    created: EmitEvent | None = None
    refused: EmitEvent | None = None


@dataclass(frozen=True)
class Update:
    """Replace the object of this resourceVersion (with `finalize`, only a namespace's spec.finalizers)."""

    object: Object
    subresource: Literal["", "finalize"] = ""


@dataclass(frozen=True)
class UpdateStatus:
    """Replace the status of the object of this resourceVersion."""

    object: Object


@dataclass(frozen=True)
class Patch:
    """Merge into the object of this uid (and resourceVersion, when `version` is there)."""

    kind: Kind
    key: Key
    uid: str
    merge: Object
    version: str = ""
    subresource: Literal["", "status"] = ""


@dataclass(frozen=True)
class Delete:
    """Delete the object of this uid (and resourceVersion, when `version` is there)."""

    kind: Kind
    key: Key
    uid: str
    version: str = ""
    propagation: Propagation | None = None
    grace_s: int | None = None
    deleted: EmitEvent | None = None
    refused: EmitEvent | None = None


@dataclass(frozen=True)
class Bind:
    """Give a pod its node."""

    key: Key
    uid: str
    node: str
    bound: EmitEvent | None = None


@dataclass(frozen=True)
class RequeueAfter:
    """Look again after so long, whatever happens until then."""

    seconds: float


Action: TypeAlias = "EmitEvent | Create | Update | UpdateStatus | Patch | Delete | Bind | RequeueAfter"
Actions: TypeAlias = Sequence[Action]


def delete(
    document: Object,
    *,
    exactly: bool = False,
    propagation: Propagation | None = None,
    deleted: EmitEvent | None = None,
    refused: EmitEvent | None = None,
) -> Delete:
    """Delete this object, and with `exactly` only as it is now."""
    version = resource_version(document) if exactly else ""
    return Delete(kind_of(document), key_of(document), uid(document), version, propagation, None, deleted, refused)


def patch(document: Object, merge: Object, *, exactly: bool = False) -> Patch:
    """Merge into this object, and with `exactly` only as it is now."""
    version = resource_version(document) if exactly else ""
    return Patch(kind_of(document), key_of(document), uid(document), merge, version)


def without_finalizer(document: Object, finalizer: str) -> Patch:
    """Take one finalizer of this object away, as it is now."""
    left = [each for each in finalizers(document) if each != finalizer]
    return patch(document, {"metadata": {"finalizers": listed(left) or None}}, exactly=True)


def with_owners(document: Object, references: list[Object]) -> Patch:
    """Give this object other owners. A merge patch replaces the list whole, so it holds for just this version."""
    return patch(document, {"metadata": {"ownerReferences": listed(references) or None}}, exactly=True)


def set_status(document: Object, status: Object) -> list[Action]:
    """Give this object another status, if it is another."""
    return [] if document.get("status") == status else [UpdateStatus(put(document, status, "status"))]


def soonest(*waits: float | None) -> list[Action]:
    """Look again when the first of these waits is over."""
    due = [max(wait, 0.0) for wait in waits if wait is not None]
    return [RequeueAfter(min(due))] if due else []
