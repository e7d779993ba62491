"""jubako get: tables by the server, or whole objects in a form of one's own.

Spec: `kubectl get` (k8s.io/kubectl/pkg/cmd/get).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jubako.cli.kube import fetching
from jubako.cli.kube.client import Client
from jubako.cli.kube.output import documents
from jubako.cli.kube.output.choice import Form, file_text, form
from jubako.cli.kube.output.columns import CustomColumns
from jubako.cli.kube.output.sorting import sort_key
from jubako.cli.kube.output.tables import Columns, Style, TablePrinter
from jubako.cli.kube.verbs import watching
from jubako.cluster.client import manifests, operands
from jubako.cluster.client.failure import Refused, Said, raise_all
from jubako.cluster.client.operands import Wanted
from jubako.cluster.types.document import Object, mapping, objects
from jubako.errors import InvalidArgument, JubakoError

_NONE_GIVEN = """You must specify the type of resource to get. Use "kubectl api-resources" for a complete list of \
supported resources.

error: Required resource not specified.
Use "kubectl explain <resource>" for a detailed description of that resource (e.g. kubectl explain pods).
See 'kubectl get -h' for help and examples"""


def get(client: Client) -> None:
    """Print what is asked for."""
    arguments = client.arguments
    wanted = _wanted(client)
    _form(client)  # what no form is, is said before anything is asked
    if arguments.flag("watch") or arguments.flag("watch-only"):
        watching.watch(client, wanted, style(client))
    elif arguments.text("output") in ("", "wide"):
        _tables(client, wanted.wanted)
    else:
        _whole(client, wanted)


def _form(client: Client) -> Form | None:
    return form(client.arguments.text("output"), forgiving=client.arguments.flag("allow-missing-template-keys"))


def style(client: Client, *, kind: bool = False) -> Style:
    arguments = client.arguments
    return Style(
        wide=arguments.text("output") == "wide",
        headers=not arguments.flag("no-headers"),
        namespace=arguments.flag("all-namespaces"),
        kind=kind or arguments.flag("show-kind"),
        labels=arguments.flag("show-labels"),
        label_columns=tuple(arguments.texts("label-columns")),
    )


def _wanted(client: Client) -> operands.Operands:
    arguments = client.arguments
    if files := arguments.texts("filename"):
        stdin = client.read_stdin() if "-" in files else None
        found = [
            Wanted(type=client.type_of(each), name=documents.name_of(each.document))
            for each in manifests.read(files, stdin, recursive=arguments.flag("recursive"))
        ]
        return operands.Operands(wanted=tuple(found), by_name=True)
    if not arguments.operands:
        raise Said(_NONE_GIVEN)
    selected = bool(arguments.text("selector") or arguments.text("field-selector"))
    wanted = operands.read(arguments.operands, client.discovery, selected=selected)
    if wanted.by_name and arguments.flag("all-namespaces"):
        raise InvalidArgument("a resource cannot be retrieved by name across all namespaces")
    return wanted


def _scope(client: Client) -> str:
    return "" if client.arguments.flag("all-namespaces") else client.namespace


def _query(client: Client) -> dict[str, str]:
    arguments = client.arguments
    return {"labelSelector": arguments.text("selector"), "fieldSelector": arguments.text("field-selector")}


def _tables(client: Client, wanted: Sequence[Wanted]) -> None:
    answers, failures = _answers(client, wanted)
    mixed = len({each.type for each, _ in answers}) > 1
    printed = False
    for of in dict.fromkeys(each.type for each, _ in answers):
        shown = style(client, kind=mixed)
        if not of.namespaced:
            shown = shown.cluster_wide()
        printer, columns = TablePrinter(shown, of), Columns()
        tables = [table for each, table in answers if each.type == of]
        laid = columns.lay([row for table in _sorted(client, tables) for row in printer.rows(table)])
        client.out(("\n" if printed and laid and shown.headers else "") + laid)
        printed = printed or bool(laid)
    if not printed and not failures and not client.arguments.flag("ignore-not-found"):
        everywhere = client.arguments.flag("all-namespaces") or not all(each.type.namespaced for each, _ in answers)
        client.error("No resources found" if everywhere else f"No resources found in {client.namespace} namespace.")
    raise_all(failures)


def _answers(client: Client, wanted: Sequence[Wanted]) -> tuple[list[tuple[Wanted, Object]], list[JubakoError]]:
    """Return each table that the server gave, and what it refused."""
    answers: list[tuple[Wanted, Object]] = []
    failures: list[JubakoError] = []
    query = {**_query(client), "includeObject": "Object" if client.arguments.text("sort-by") else ""}
    for each in wanted:
        try:
            pages = fetching.pages(client, each, namespace=_scope(client), accept=fetching.TABLE, **query)
            answers += [(each, page) for page in pages]
        except Refused as refused:
            if not (refused.reason == "NotFound" and client.arguments.flag("ignore-not-found")):
                failures.append(refused)
    return answers, failures


def _sorted(client: Client, tables: list[Object]) -> Iterator[Object]:
    by = client.arguments.text("sort-by")
    if not by or not tables:
        yield from tables
        return
    key = sort_key(by)
    rows = [row for table in tables for row in objects(table.get("rows"))]
    rows.sort(key=lambda row: key(mapping(row.get("object"))))
    yield {**tables[0], "rows": [*rows]}


def _whole(client: Client, wanted: operands.Operands) -> None:
    found: list[Object] = []
    failures: list[JubakoError] = []
    for each in wanted.wanted:
        try:
            found += fetching.items(client, each, namespace=_scope(client), **_query(client))
        except Refused as refused:
            if not (refused.reason == "NotFound" and client.arguments.flag("ignore-not-found")):
                failures.append(refused)
    if wanted.single and failures:
        raise_all(failures)
    if by := client.arguments.text("sort-by"):
        found.sort(key=sort_key(by))
    if found or not client.arguments.flag("ignore-not-found"):
        client.out(shown(client, found, single=wanted.single))
    raise_all(failures)


def shown(client: Client, found: Sequence[Object], *, single: bool) -> str:
    """Return whole objects as -o wants them."""
    arguments = client.arguments
    output = arguments.text("output")
    if output in ("json", "yaml") and not arguments.flag("show-managed-fields"):
        found = [documents.without_managers(each) for each in found]
    if output == "name":
        return "".join(f"{documents.as_name(each)}\n" for each in found)
    name, _, value = output.partition("=")
    if name.startswith("custom-columns"):
        chosen = CustomColumns.of_template(file_text(value)) if name.endswith("-file") else CustomColumns(value)
        titles = [] if arguments.flag("no-headers") else [chosen.headers]
        return Columns().lay([*titles, *chosen.rows(found)])
    made = _form(client)
    assert made is not None, "names and tables are dealt with"
    return made(found[0] if single and found else documents.listed(found))
