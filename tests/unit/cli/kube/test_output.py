from __future__ import annotations

import pytest

from jubako.cli.kube.describe.sheet import Sheet
from jubako.cli.kube.output import documents
from jubako.cli.kube.output.choice import form
from jubako.cli.kube.output.columns import CustomColumns
from jubako.cli.kube.output.sorting import sort_key
from jubako.cli.kube.output.tables import Columns, Style, TablePrinter
from jubako.cluster.client.discovery import Type
from jubako.cluster.types.document import Object
from jubako.errors import InvalidArgument

PODS = Type(group="", version="v1", plural="pods", singular="pod", kind="Pod", namespaced=True, verbs=())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("yes", '"yes"'),
        ("y", '"y"'),
        ("Off", '"Off"'),
        ("1", '"1"'),
        ("1e3", '"1e3"'),
        ("0x10", '"0x10"'),
        ("1_000", '"1_000"'),
        (".5", '"0.5"'.replace("0.5", ".5")),
        ("1:30", '"1:30"'),
        ("2001-01-01", '"2001-01-01"'),
        ("2026-11-26T05:46:23Z", '"2026-11-26T05:46:23Z"'),
        ("null", '"null"'),
        ("~", '"~"'),
        ("", '""'),
        ("<<", '"<<"'),
        ("1.2.3", "1.2.3"),
        ("a: b", "'a: b'"),
        (" lead", "' lead'"),
        ("x\ny\n", "|\n  x\n  y"),
        ("x\ny", "|-\n  x\n  y"),
        (True, "true"),
        (3, "3"),
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
        ([1, {"b": 1, "a": [2]}], "\n- 1\n- a:\n  - 2\n  b: 1"),
    ],
)
def test_yaml_is_written_as_go_writes_it(value: object, text: str) -> None:
    separator = "" if text.startswith("\n") else " "
    assert documents.as_yaml({"k": value}) == f"k:{separator}{text}\n"  # type: ignore[dict-item]


def test_keys_are_in_natural_order() -> None:
    keys = ["a10", "a9", "b", "a-b", "a.b", "A", "_"]
    assert documents.as_yaml(dict.fromkeys(keys, 1)).split() == [
        word for key in ("_", "A", "a-b", "a.b", "a9", "a10", "b") for word in (f"{key}:", "1")
    ]


def test_json_is_indented_and_escaped_as_go_does_it() -> None:
    assert documents.as_json({"b": "<&>", "a": ["é"]}) == (
        '{\n    "a": [\n        "é"\n    ],\n    "b": "\\u003c\\u0026\\u003e"\n}\n'
    )


def test_names_have_the_group() -> None:
    metadata: Object = {"name": "x"}
    assert documents.as_name({"apiVersion": "v1", "kind": "Pod", "metadata": metadata}) == "pod/x"
    assert (
        documents.as_name({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}) == "deployment.apps/x"
    )


def table(*rows: Object) -> Object:
    columns = [("Name", "name", 0), ("Ready", "", 0), ("Node", "", 1)]
    return {
        "columnDefinitions": [{"name": name, "format": kind, "priority": rank} for name, kind, rank in columns],
        "rows": [*rows],
    }


def row(name: str, ready: str, labels: dict[str, str] | None = None) -> Object:
    metadata: Object = {"name": name, "namespace": "ns", "labels": {**(labels or {})}}
    return {"cells": [name, ready, "vm"], "object": {"metadata": metadata}}


@pytest.mark.parametrize(
    ("style", "printed"),
    [
        (Style(), "NAME   READY\na      1/1\n"),
        (Style(wide=True), "NAME   READY   NODE\na      1/1     vm\n"),
        (Style(headers=False), "a     1/1\n"),
        (Style(namespace=True), "NAMESPACE   NAME   READY\nns          a      1/1\n"),
        (Style(kind=True), "NAME    READY\npod/a   1/1\n"),
        (Style(labels=True), "NAME   READY   LABELS\na      1/1     x/app=web\n"),
        (Style(label_columns=("x/app", "no")), "NAME   READY   APP   NO\na      1/1     web   \n"),
    ],
)
def test_tables_in_each_style(style: Style, printed: str) -> None:
    printer = TablePrinter(style, PODS)
    assert Columns().lay(printer.rows(table(row("a", "1/1", {"x/app": "web"})))) == printed


def test_later_rows_stand_below_earlier_ones_and_titles_come_once() -> None:
    printer, columns = TablePrinter(Style(), PODS), Columns()
    assert columns.lay(printer.rows(table())) == ""
    assert columns.lay(printer.rows(table(row("long-name", "0/1")))) == "NAME        READY\nlong-name   0/1\n"
    assert columns.lay(printer.rows(table(row("b", "1/1")))) == "b           1/1\n"


def test_a_cell_shows_its_first_line_and_hides_what_a_terminal_obeys() -> None:
    cell = row("a", "one\ntwo")
    assert TablePrinter(Style(headers=False), PODS).rows(table(cell)) == [["a", "one..."]]
    assert TablePrinter(Style(headers=False), PODS).rows(table(row("a", "\x1b[31m"))) == [["a", "^[[31m"]]


def test_custom_columns() -> None:
    columns = CustomColumns("N:.metadata.name,L:metadata.labels,P:{.ports[*]},X:.nope")
    document: Object = {"metadata": {"name": "a", "labels": {"k": "v"}}, "ports": [1, 2]}
    assert columns.headers == ["N", "L", "P", "X"]
    assert columns.rows([document]) == [["a", "map[k:v]", "1,2", "<none>"]]
    with pytest.raises(InvalidArgument, match="unexpected custom-columns spec: A, expected <header>:<json-path-expr>"):
        CustomColumns("A")


def test_sorting_knows_numbers_amounts_and_how_people_count() -> None:
    def ordered(*values: object) -> list[object]:
        return [each["v"] for each in sorted(({"v": value} for value in values), key=sort_key(".v"))]  # type: ignore[arg-type]

    assert ordered("1Gi", "900Mi", "2Ki") == ["2Ki", "900Mi", "1Gi"]
    assert ordered("a10", "a9") == ["a9", "a10"]
    assert ordered(10, 9, None) == [None, 9, 10]


def test_an_unknown_output_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgument, match='unable to match a printer suitable for the output format "nope"'):
        form("nope")


def test_a_sheet_hides_what_a_terminal_obeys() -> None:
    sheet = Sheet()
    sheet.line(0, "Name:", "a\x1b[31m")
    sheet.each(0, "Labels", ["x=1", "y=\x1b"])
    assert sheet.render() == "Name:    a^[[31m\nLabels:  x=1\n         y=^[\n"
