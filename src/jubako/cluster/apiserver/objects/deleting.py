"""delete: at once, after a grace period, or when the finalizers are done.

Model:  what still has finalizers, or a pod that runs, is only marked: deletionTimestamp says from when on it may be
        gone. The last update that takes a finalizer away ends it (writing). Propagation is a finalizer that the garbage
        collector takes: foregroundDeletion waits for the dependents, orphan sets them free.
Spec:   "Finalizers", "Garbage Collection"; k8s.io/apiserver/pkg/registry/rest/delete.go.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from jubako.cluster.apiserver import failures
from jubako.cluster.apiserver.caller import Request
from jubako.cluster.apiserver.objects import identity, stored
from jubako.cluster.apiserver.objects.reading import get
from jubako.cluster.store import AsyncStore, Item, StaleRevision
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, array, child, integer, mapping, text
from jubako.errors import NotFound

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
_TRIES = 8
_IMMORTAL = ("default", "kube-system", "kube-public", "kube-node-lease")
_DEFAULT_GRACE_S = 30


class DeleteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`propagation` is "" for the default of the kind, which is Background; `grace_s` None likewise."""

    grace_s: int | None = None
    propagation: str = ""
    uid: str = ""
    version: str = ""
    dry_run: bool = False


class Deleted(msgspec.Struct, frozen=True):
    """The object as it last was or now is, and whether it is gone."""

    item: Item
    gone: bool


def options_of(document: Object) -> DeleteOptions:
    """Read a DeleteOptions document. Raises Failure (400, 422)."""
    policy, orphans = text(document.get("propagationPolicy")), document.get("orphanDependents")
    if policy not in ("", "Background", "Foreground", "Orphan"):
        raise failures.failure(422, "Invalid", f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: {policy}')
    if orphans is not None and not policy:
        policy = "Orphan" if orphans else "Background"
    wanted = mapping(document.get("preconditions"))
    grace, dry_run = document.get("gracePeriodSeconds"), array(document.get("dryRun"))
    if dry_run not in ([], ["All"]):
        message = (
            f'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: {dry_run}: supported values: "All"'
        )
        raise failures.failure(422, "Invalid", message)
    return DeleteOptions(
        grace_s=integer(grace) if grace is not None else None,
        propagation=policy,
        uid=text(wanted.get("uid")),
        version=text(wanted.get("resourceVersion")),
        dry_run=bool(dry_run),
    )


class Deleter:
    def __init__(self, store: AsyncStore, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    async def delete(self, request: Request, options: DeleteOptions) -> Deleted:
        """Delete one object, or mark it. Raises Failure (404, 409)."""
        asked = request.attributes
        for _ in range(_TRIES):
            item = get(self._store, asked.resource, asked.namespace, asked.name)
            document = stored.decode(item, asked.resource.kind)
            _check_mortal(request)
            self._check(request, document, options)
            try:
                return await self._delete(request, item, document, options)
            except StaleRevision:
                continue
            except NotFound:
                raise failures.not_found(asked.resource, asked.name) from None
        raise failures.modified(asked.resource, asked.name)

    async def delete_item(self, request: Request, item: Item, options: DeleteOptions) -> None:
        """Delete one object of a collection; one that is gone already is no failure."""
        metadata = mapping(stored.decode(item)["metadata"])
        namespace, name = text(metadata.get("namespace")), text(metadata.get("name"))
        asked = msgspec.structs.replace(request.attributes, namespace=namespace, name=name)
        try:
            await self.delete(msgspec.structs.replace(request, attributes=asked), options)
        except failures.Failure as failed:
            if failed.code != 404:
                raise

    def _check(self, request: Request, document: Object, options: DeleteOptions) -> None:
        metadata = mapping(document["metadata"])
        for name, field, wanted in (
            ("UID", "uid", options.uid),
            ("ResourceVersion", "resourceVersion", options.version),
        ):
            found = text(metadata.get(field))
            if wanted and wanted != found:
                why = f"Precondition failed: {name} in precondition: {wanted}, {name} in object meta: {found}"
                raise failures.conflict(request.attributes.resource, request.attributes.name, why)

    async def _delete(self, request: Request, item: Item, document: Object, options: DeleteOptions) -> Deleted:
        _propagate(document, options.propagation)
        grace_s = _grace(document, options)
        self._mark(document, grace_s)
        waits = grace_s or identity.finalizers(document) or _is_namespace_in_use(document)
        value = stored.encode(document, request.attributes.resource.kind)
        if request.dry_run or options.dry_run:
            return Deleted(Item(item.key, value, item.revision), gone=not waits)
        if not waits:
            event = await self._store.delete(item.key, item.revision)
            return Deleted(stored.last(event), gone=True)
        if value == item.value:
            return Deleted(item, gone=False)
        event = await self._store.update(item.key, value, item.revision)
        assert event.current is not None
        return Deleted(event.current, gone=False)

    def _mark(self, document: Object, grace_s: int) -> None:
        """The end comes in `grace_s`; one that is set already is only ever brought forward."""
        metadata = child(document, "metadata")
        before = metadata.get("deletionGracePeriodSeconds")
        if metadata.get("deletionTimestamp") and (before is None or integer(before) <= grace_s):
            return
        metadata["deletionTimestamp"] = times.render(self._clock() + timedelta(seconds=grace_s))
        metadata["deletionGracePeriodSeconds"] = grace_s
        if document["kind"] == "Namespace":
            child(document, "status")["phase"] = "Terminating"
        elif isinstance(metadata.get("generation"), int):
            metadata["generation"] = integer(metadata["generation"]) + 1


def _check_mortal(request: Request) -> None:
    asked = request.attributes
    if asked.resource.kind.name == "Namespace" and asked.name in _IMMORTAL:
        raise failures.forbidden(asked.resource, asked.name, "this namespace may not be deleted")


def _propagate(document: Object, policy: str) -> None:
    metadata = child(document, "metadata")
    wanted = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(policy)
    kept = [each for each in identity.finalizers(document) if not policy or each not in (FOREGROUND, ORPHAN)]
    found = [*kept, wanted] if wanted and wanted not in kept else kept
    metadata.pop("finalizers", None)
    if found:
        metadata["finalizers"] = list(found)


def _grace(document: Object, options: DeleteOptions) -> int:
    """Only a pod that is on a node and runs gets time; its node ends it with a grace of 0."""
    if document["kind"] != "Pod":
        return 0
    spec, status = mapping(document.get("spec")), mapping(document.get("status"))
    if not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    if options.grace_s is not None:
        return max(options.grace_s, 0)
    grace_s = integer(spec.get("terminationGracePeriodSeconds"), _DEFAULT_GRACE_S)
    return grace_s if grace_s >= 0 else 1


def _is_namespace_in_use(document: Object) -> bool:
    return document["kind"] == "Namespace" and bool(array(mapping(document.get("spec")).get("finalizers")))
