"""What the server has: lists page by page, one object, or the table that shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jubako.cli.kube.client import Client
from jubako.cluster.client.connection import JSON_TYPE
from jubako.cluster.client.discovery import Type
from jubako.cluster.client.failure import Refused
from jubako.cluster.client.operands import Wanted
from jubako.cluster.types.document import Object, at, objects, text

TABLE = f"{JSON_TYPE};as=Table;v=v1;g=meta.k8s.io,{JSON_TYPE};as=Table;v=v1beta1;g=meta.k8s.io,{JSON_TYPE}"
_PAGE = "500"


def get(client: Client, of: Type, name: str, *, namespace: str | None = None) -> Object:
    """Return one object. Raises Refused."""
    within = client.namespace if namespace is None else namespace
    return client.connection.get(of.path(within, name))


def find(client: Client, of: Type, name: str, *, namespace: str | None = None) -> Object | None:
    """Return one object, None where there is none."""
    try:
        return get(client, of, name, namespace=namespace)
    except Refused as refused:
        if refused.reason == "NotFound":
            return None
        raise


def pages(client: Client, wanted: Wanted, *, namespace: str, accept: str = JSON_TYPE, **query: str) -> Iterator[Object]:
    """Return the object that is wanted, or the lists that together are all of them."""
    path = wanted.type.path(namespace, wanted.name)
    asked = {name: value for name, value in query.items() if value}
    if wanted.name:
        yield client.connection.get(path, asked, accept=accept)
        return
    asked["limit"] = _PAGE
    while True:
        try:
            page = client.connection.get(path, asked, accept=accept)
        except Refused as refused:
            raise _of_list(refused, wanted.type, asked) from None
        yield page
        asked["continue"] = text(at(page, "metadata", "continue"))
        if not asked["continue"]:
            return


def _of_list(refused: Refused, of: Type, asked: Mapping[str, str]) -> Refused:
    if refused.reason not in ("BadRequest", "NotFound"):
        return refused
    what = f'"{of.group}/{of.version}, Resource={of.plural}"'
    labels, fields = asked.get("labelSelector", ""), asked.get("fieldSelector", "")
    if labels or fields:
        found = f'Unable to find {what} that match label selector "{labels}", field selector "{fields}"'
        return refused.with_message(f"{found}: {refused.message}")
    return refused.with_message(f"Unable to list {what}: {refused.message}")


def items(client: Client, wanted: Wanted, *, namespace: str, **query: str) -> list[Object]:
    """Return whole objects, each with its apiVersion and kind."""
    found: list[Object] = []
    for page in pages(client, wanted, namespace=namespace, **query):
        if wanted.name:
            return [page]
        kind = {"apiVersion": wanted.type.api_version, "kind": wanted.type.kind}
        found += [{**kind, **each} for each in objects(page.get("items"))]
    return found


def listed(client: Client, plural: str, namespace: str, **query: str) -> list[Object]:
    """Return the objects of a type by its name."""
    return items(client, Wanted(type=client.discovery.named(plural)), namespace=namespace, **query)
