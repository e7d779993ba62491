"""JSON paths in kubectl's dialect: text with {expressions}, as -o jsonpath takes it.

parser    text -> a tree of nodes
evaluate  a tree and a document -> values
render    values -> what Go prints of them

Spec: kubernetes.io/docs/reference/kubectl/jsonpath; k8s.io/client-go/util/jsonpath.
"""

from __future__ import annotations

from jubako.cli.jsonpath.evaluate import Evaluation
from jubako.cli.jsonpath.parser import parse
from jubako.cli.jsonpath.render import literal, plain, shown
from jubako.cluster.types.document import JSON

__all__ = ["JsonPath", "literal", "plain", "shown"]


class JsonPath:
    """A template, read once; `forgiving` finds nothing where a field is missing. Raises InvalidArgument."""

    def __init__(self, template: str, *, forgiving: bool = False) -> None:
        self._nodes, self._forgiving = parse(template), forgiving

    def find(self, document: JSON) -> list[list[JSON]]:
        """Return the values of each part of the template. Raises InvalidArgument for what is not there."""
        return Evaluation(forgiving=self._forgiving).groups(self._nodes, document)

    def render(self, document: JSON) -> str:
        return "".join(" ".join(shown(value) for value in group) for group in self.find(document))
