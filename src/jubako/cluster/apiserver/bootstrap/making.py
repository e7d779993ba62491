"""Making and mending what every cluster has.

Model:  namespaces and classes are made when they are missing, and stay as somebody has changed them. Roles and bindings
        are reconciled as well, so that a cluster of an earlier version has what today's control plane grants.
"""

from __future__ import annotations

from pathlib import Path

from jubako.cluster.apiserver.access.authorization import GROUP
from jubako.cluster.apiserver.api import Api
from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.apiserver.bootstrap import defaults, reconciling, roles
from jubako.cluster.apiserver.caller import MASTERS, Request, User
from jubako.cluster.apiserver.failures import Failure
from jubako.cluster.apiserver.objects import stored
from jubako.cluster.apiserver.objects.deleting import DeleteOptions
from jubako.cluster.apiserver.objects.reading import get
from jubako.cluster.types.document import Object, mapping, text
from jubako.cluster.types.resources import resource
from jubako.cluster.types.served import Resource

SYSTEM = User(name="system:apiserver", groups=(MASTERS,))


async def bootstrap(api: Api, volumes: Path) -> None:
    """Make what is missing, and bring roles and bindings up to date. `volumes` is where those of claims are made."""
    for group, plural, document in [*defaults.documents(volumes), *roles.documents()]:
        found = resource(group, "v1", plural)
        assert found is not None
        if not await _made(api, found, document) and group == GROUP:
            await _reconcile(api, found, document)


async def _made(api: Api, found: Resource, document: Object) -> bool:
    """Make what is not there; tell whether it was missing."""
    name = text(mapping(document["metadata"])["name"])
    if _there(api, found, name) is not None:
        return False
    if name.startswith(roles.PART) and (whole := _there(api, found, name.removeprefix(roles.PART))):
        document = reconciling.taken_over(whole, document)
    await api.writer.create(_request(found, "create"), stored.copy(document))
    return True


async def _reconcile(api: Api, found: Resource, wanted: Object) -> None:
    name = text(mapping(wanted["metadata"])["name"])
    there = _there(api, found, name)
    if there is None or reconciling.is_protected(there):
        return
    if reconciling.is_another(there, wanted):  # whose role a binding gives is never changed
        await api.deleter.delete(_request(found, "delete", name), DeleteOptions())
        await _made(api, found, wanted)
    elif reconciling.reconciled(there, wanted) != there:
        await api.writer.update(_request(found, "update", name), lambda old: reconciling.reconciled(old, wanted))


def _there(api: Api, found: Resource, name: str) -> Object | None:
    try:
        return stored.decode(get(api.store, found, "", name))
    except Failure as failed:
        if failed.code != 404:
            raise
    return None


def _request(found: Resource, verb: str, name: str = "") -> Request:
    return Request(attributes=Attributes(verb=verb, resource=found, name=name), user=SYSTEM, manager="kube-apiserver")
