"""-o custom-columns: HEADER:PATH,… with a JSON path for each column.

Spec: k8s.io/kubectl/pkg/cmd/get, "customcolumn".
"""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cli.jsonpath import JsonPath, plain
from jubako.cluster.types.document import Object
from jubako.errors import InvalidArgument


class CustomColumns:
    """The columns of one -o. Raises InvalidArgument for what is none."""

    def __init__(self, spec: str) -> None:
        if not spec:
            raise InvalidArgument("custom-columns format specified but no custom columns given")
        pairs = [part.split(":", 1) for part in spec.split(",")]
        for pair in pairs:
            if len(pair) != 2:
                raise InvalidArgument(f"unexpected custom-columns spec: {pair[0]}, expected <header>:<json-path-expr>")
        self.headers = [header for header, _ in pairs]
        self._paths = [JsonPath(relaxed(path), forgiving=True) for _, path in pairs]

    @classmethod
    def of_template(cls, text: str) -> CustomColumns:
        """Return what a file says: headers in its first line, paths in the second."""
        lines = [line.split() for line in text.splitlines() if line.strip()]
        if len(lines) != 2 or len(lines[0]) != len(lines[1]):
            raise InvalidArgument("a custom-columns-file has a line of headers and a line of as many paths")
        return cls(",".join(f"{header}:{path}" for header, path in zip(*lines, strict=True)))

    def rows(self, documents: Iterable[Object]) -> list[list[str]]:
        return [[_cell(path, document) for path in self._paths] for document in documents]


def _cell(path: JsonPath, document: Object) -> str:
    found = [value for group in path.find(document) for value in group]
    return ",".join(plain(value) for value in found) if found else "<none>"


def relaxed(path: str) -> str:
    """Return a path as the strict form has it: x.y, .x.y and {.x.y} are the same."""
    if not path:
        return ""
    inner = path.removeprefix("{").removesuffix("}") if path.startswith("{") and path.endswith("}") else path
    if inner.startswith("{") or inner.endswith("}"):
        raise InvalidArgument(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
        )
    return f"{{.{inner.removeprefix('.')}}}"
