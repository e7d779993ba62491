"""jubako get -w: what there is, then each change as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from jubako.cli.kube import fetching
from jubako.cli.kube.client import Client
from jubako.cli.kube.output import documents
from jubako.cli.kube.output.choice import form
from jubako.cli.kube.output.columns import CustomColumns
from jubako.cli.kube.output.tables import Columns, Style, TablePrinter
from jubako.cluster.client.connection import JSON_TYPE, Connection
from jubako.cluster.client.failure import Refused
from jubako.cluster.client.operands import Operands, Wanted
from jubako.cluster.types.document import Object, at, mapping, objects, text
from jubako.errors import InvalidArgument

Event = tuple[str, Object]


def watch(client: Client, wanted: Operands, style: Style) -> None:
    """Print until the server ends the watch, or the user does."""
    if len(wanted.wanted) != 1:
        raise InvalidArgument(
            "you may only specify a single resource type"
            if len({each.type for each in wanted.wanted}) > 1
            else "watch is only supported on individual resources and resource collections - more than 1 resource was "
            "found"
        )
    each, arguments = wanted.wanted[0], client.arguments
    namespace = "" if arguments.flag("all-namespaces") else client.namespace
    as_table = arguments.text("output") in ("", "wide")
    accept = fetching.TABLE if as_table else JSON_TYPE
    query = {
        "labelSelector": arguments.text("selector"),
        "fieldSelector": f"metadata.name={each.name}" if each.name else arguments.text("field-selector"),
    }
    show = _printer(client, each, style)
    pages = (
        [*fetching.pages(client, each, namespace=namespace, accept=accept)]
        if each.name
        else [*fetching.pages(client, each, namespace=namespace, accept=accept, **query)]
    )
    if not arguments.flag("watch-only"):
        for page in pages:
            show(page if as_table or each.name else {**page, "kind": "List"})
    query["resourceVersion"] = _version(pages[-1])
    for kind, document in events(client.connection, each.type.path(namespace), query, accept=accept):
        show(_told(kind, document) if arguments.flag("output-watch-events") and not as_table else document)


def _version(page: Object) -> str:
    rows = objects(page.get("rows"))
    of_list = text(at(page, "metadata", "resourceVersion"))
    return of_list or (text(at(rows[0], "object", "metadata", "resourceVersion")) if rows else "")


def _told(kind: str, document: Object) -> Object:
    return {"type": kind, "object": document}


def _printer(client: Client, wanted: Wanted, style: Style) -> Callable[[Object], None]:
    """Return what prints a table, an object or a list of them."""
    output, columns = client.arguments.text("output"), Columns()
    if output in ("", "wide"):
        table = TablePrinter(style, wanted.type)
        return lambda document: client.out(columns.lay(table.rows(document)))
    if output == "name":
        return lambda document: client.out(
            "".join(f"{documents.as_name(each)}\n" for each in _objects(document, wanted))
        )
    if output.startswith("custom-columns="):
        custom = CustomColumns(output.partition("=")[2])
        client.out("" if client.arguments.flag("no-headers") else columns.lay([custom.headers]))
        return lambda document: client.out(columns.lay(custom.rows(_objects(document, wanted))))
    made = form(output)
    assert made is not None, "the others are dealt with"
    return lambda document: client.out("".join(_one(made, each) for each in _objects(document, wanted)))


def _one(made: Callable[[Object], str], document: Object) -> str:
    shown = made(documents.without_managers(document))
    return f"---\n{shown}" if made is documents.as_yaml else shown


def _objects(document: Object, wanted: Wanted) -> Iterable[Object]:
    if document.get("kind") != "List":
        return [document]
    kind = {"apiVersion": wanted.type.api_version, "kind": wanted.type.kind}
    return [{**kind, **each} for each in objects(document.get("items"))]


def events(
    connection: Connection, path: str, query: dict[str, str], *, accept: str = JSON_TYPE, timeout_s: int = 0
) -> Iterator[Event]:
    """Return what happens: ADDED, MODIFIED, DELETED and the object. Raises Refused where the watch fails."""
    asked = {name: value for name, value in query.items() if value} | {"watch": "true"}
    if timeout_s:
        asked["timeoutSeconds"] = str(timeout_s)
    with connection.stream(path, asked, accept=accept) as pieces:
        for line in _lines(pieces):
            event = mapping(msgspec.json.decode(line))
            kind, document = text(event.get("type")), mapping(event.get("object"))
            if kind == "ERROR":
                raise Refused(document)
            if kind != "BOOKMARK":
                yield kind, document


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = b""
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        yield from whole
