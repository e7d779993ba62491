"""Tables as the server answers with them, and lines of columns that stay where they are once they were printed.

Spec: meta.k8s.io/v1 Table; k8s.io/cli-runtime/pkg/printers, "TablePrinter".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from jubako.cli.kube.output.escaping import escaped
from jubako.cluster.client.discovery import Type
from jubako.cluster.types.document import JSON, Object, array, at, integer, mapping, objects, strings, text

_MINIMUM, _PADDING = 6, 3


class Columns:
    """Lays out rows; a column never gets narrower than it was, so that rows printed later stand below earlier ones."""

    def __init__(self) -> None:
        self._widths: list[int] = []

    def lay(self, rows: Iterable[Sequence[str]]) -> str:
        held = [*rows]
        for row in held:
            self._widths += [_MINIMUM] * (len(row) - 1 - len(self._widths))
            for index, cell in enumerate(row[:-1]):
                self._widths[index] = max(self._widths[index], len(cell) + _PADDING)
        return "".join(self._line(row) for row in held)

    def _line(self, row: Sequence[str]) -> str:
        cells = (cell.ljust(width) for cell, width in zip(row[:-1], self._widths, strict=False))
        return "".join(cells) + row[-1] + "\n"


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of a table."""

    wide: bool = False
    headers: bool = True
    namespace: bool = False
    kind: bool = False
    labels: bool = False
    label_columns: tuple[str, ...] = ()

    def cluster_wide(self) -> Style:
        """Return the same for a type that is in no namespace."""
        return msgspec.structs.replace(self, namespace=False)


class TablePrinter:
    """The tables of one type, one below the other: the first with titles."""

    def __init__(self, style: Style, of: Type) -> None:
        self._style, self._type = style, of
        self._columns: list[Object] = []
        self._titled = not style.headers

    def rows(self, table: Object) -> list[list[str]]:
        """Return lines of cells, the titles first where they have not been shown."""
        self._columns = objects(table.get("columnDefinitions")) or self._columns
        lines = [self._row(row) for row in objects(table.get("rows"))]
        if lines and not self._titled:
            self._titled = True
            lines.insert(0, self._titles())
        return lines

    def _titles(self) -> list[str]:
        found = ["NAMESPACE"] if self._style.namespace else []
        found += [text(column.get("name")).upper() for _, column in self._shown()]
        found += [label.rpartition("/")[2].upper() for label in self._style.label_columns]
        return found + (["LABELS"] if self._style.labels else [])

    def _row(self, row: Object) -> list[str]:
        cells, metadata = array(row.get("cells")), mapping(at(row, "object", "metadata"))
        found = [text(metadata.get("namespace"))] if self._style.namespace else []
        for index, column in self._shown():
            cell = cell_text(cells[index]) if index < len(cells) else ""
            is_name = column.get("format") == "name"
            found.append(f"{self._type.full_name}/{cell}" if self._style.kind and is_name else cell)
        labels = strings(metadata.get("labels"))
        found += [labels.get(label, "") for label in self._style.label_columns]
        return found + ([labels_text(labels)] if self._style.labels else [])

    def _shown(self) -> list[tuple[int, Object]]:
        every = enumerate(self._columns)
        return [(index, each) for index, each in every if self._style.wide or not integer(each.get("priority"))]


def labels_text(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


def cell_text(value: JSON) -> str:
    """Return the text of a cell: its first line, with what a terminal would obey made visible."""
    if value is None:
        return ""
    said = str(value).lower() if isinstance(value, bool) else str(value)
    first = re.split(r"[\f\n\r]", said, maxsplit=1)[0]
    return escaped(first) + ("..." if first != said else "")
