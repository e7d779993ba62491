"""`--format`: rows as a table, as JSON, or through a Go template.

A command gives its rows as `Row`s (the fields that templates see, all texts but for methods), the title of each
column, and the template of its default table.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from jubako.cli.failure import Exit
from jubako.cli.gotemplate import HEADER_FUNCTIONS, Record, Template, TemplateError
from jubako.cli.options import TEXT, Option
from jubako.cli.texttable import align

FORMAT_HELP = """Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template."""

FORMAT = Option("format", "", TEXT, FORMAT_HELP)
# Commands that show one document have no table, and -f for short.
FORMAT_ONE = Option(
    "format",
    "f",
    TEXT,
    "Format output using a custom template:\n"
    "'json':             Print in JSON format\n"
    "'TEMPLATE':         Print output using the given Go template.",
)


class Row(Record):
    """One line of a list; callables are methods that take arguments in the template."""

    type_name = "*formatter.Row"

    def missing(self, name: str) -> str:
        return f"can't evaluate field {name} in type {self.type_name}"


def label_of(labels: Mapping[str, str]) -> Callable[[str], str]:
    """The `Label` method: the value of one label."""
    return lambda name: labels.get(name, "")


def label_list(labels: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def render(rows: Iterable[Row], format: str, default: str, headers: Mapping[str, str]) -> str:
    """Every row in the asked-for format; `default` is the template of the plain table."""
    format = format or "table"
    if format == "json":
        return "".join(f"{row_json(row)}\n" for row in rows)
    if format == "table" or format.startswith("table "):
        return _table(rows, format[6:].strip() or default, headers)
    template = parse(format)
    return "".join(f"{evaluate(template, row)}\n" for row in rows)


def row_json(row: Mapping[str, object]) -> str:
    """One row as Docker prints it with `--format json`: sorted keys, and <, > and & escaped as Go does."""
    plain = {key: value for key, value in sorted(row.items()) if not callable(value)}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _table(rows: Iterable[Row], text: str, headers: Mapping[str, str]) -> str:
    template = parse(text)
    lines = [evaluate(template, row) for row in rows]
    titles = parse(text, HEADER_FUNCTIONS)
    heading = evaluate(titles, {"Label": _label_title, **headers})
    return align([heading, *lines])


def _label_title(name: str) -> str:
    return name.rpartition(".")[2].replace("-", " ").replace("_", " ")


def parse(text: str, functions: Mapping[str, Callable[..., object]] | None = None) -> Template:
    try:
        return Template(text.replace("\\t", "\t").replace("\\n", "\n"), functions)
    except TemplateError as error:
        raise Exit(1, f"failed to parse template: {error}") from None


def evaluate(template: Template, row: object) -> str:
    try:
        return template.render(row)
    except TemplateError as error:
        raise Exit(1, f"failed to execute template: {error}") from None
