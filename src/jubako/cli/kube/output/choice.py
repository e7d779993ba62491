"""-o: which form is wanted, and objects in that form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jubako.cli.gotemplate import Template, TemplateError
from jubako.cli.jsonpath import JsonPath, literal
from jubako.cli.kube.output import documents
from jubako.cluster.types.document import Object
from jubako.errors import InvalidArgument

Form = Callable[[Object], str]
_ALLOWED = (
    "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,name,"
    "template,templatefile,wide,yaml"
)
# Templates may stand beside -o too; what we know of them.
_PLAIN: dict[str, Form] = {
    "json": documents.as_json,
    "yaml": documents.as_yaml,
}


def form(output: str, *, forgiving: bool = True) -> Form | None:
    """Return what makes text of an object (or a List) for -o; None for names and tables.

    `forgiving` templates find nothing where a field is missing. Raises InvalidArgument.
    """
    name, _, value = output.partition("=")
    if output in _PLAIN:
        return _PLAIN[output]
    if name.startswith(("jsonpath", "go-template", "template")):
        return _template(name, value, forgiving)
    if name in ("", "wide", "name", "custom-columns", "custom-columns-file"):
        return None
    raise InvalidArgument(
        f'unable to match a printer suitable for the output format "{output}", allowed formats are: {_ALLOWED}'
    )


def _template(name: str, value: str, forgiving: bool) -> Form:
    kind, source = (
        (name.removesuffix("-file").removesuffix("file"), file_text(value)) if name.endswith("file") else (name, value)
    )
    if not source:
        raise InvalidArgument("template format specified but no template given")
    match kind:
        case "jsonpath":
            return _jsonpath(source, forgiving)
        case "jsonpath-as-json":
            path = JsonPath(source, forgiving=forgiving)
            return lambda document: documents.as_json([value for group in path.find(document) for value in group])
        case "go-template" | "template":
            return _go_template(source)
    raise InvalidArgument(
        f'unable to match a printer suitable for the output format "{name}", allowed formats are: {_ALLOWED}'
    )


def _jsonpath(source: str, forgiving: bool) -> Form:
    try:
        path = JsonPath(source, forgiving=forgiving)
    except InvalidArgument as error:
        raise InvalidArgument(f"error parsing jsonpath {source}, {error.message}") from None

    def render(document: Object) -> str:
        try:
            return path.render(document)
        except InvalidArgument as error:
            raise InvalidArgument(
                f'error executing jsonpath "{source}": Error executing template: {error.message}. Printing more '
                "information for debugging the template:\n"
                f"\ttemplate was:\n\t\t{source}\n\tobject given to jsonpath engine was:\n\t\t{literal(document)}\n\n"
            ) from None

    return render


def _go_template(source: str) -> Form:
    try:
        template = Template(source)
    except TemplateError as error:
        raise InvalidArgument(f"error parsing template {source}, {error}") from None

    def render(document: Object) -> str:
        try:
            return template.render(document)
        except TemplateError as error:
            raise InvalidArgument(f'error executing template "{source}": {error}') from None

    return render


def file_text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise InvalidArgument(f"error reading template {path}, {error.strerror}") from None
