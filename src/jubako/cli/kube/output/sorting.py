"""--sort-by: the order of objects by what a JSON path finds in them.

Spec: k8s.io/kubectl/pkg/cmd/get, "sorter": numbers and amounts (1Gi) by value, texts as people count (a2 before a10).
"""

from __future__ import annotations

from collections.abc import Callable

from jubako.cli.jsonpath import JsonPath
from jubako.cli.kube.output.columns import relaxed
from jubako.cli.kube.output.goyaml import natural
from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.quantity import Quantity
from jubako.errors import InvalidArgument

Key = tuple[int, float, list[tuple[int, int, int]]]


def sort_key(path: str) -> Callable[[Object], Key]:
    """Return the key of an object. Raises InvalidArgument for what is no path."""
    found = JsonPath(relaxed(path), forgiving=True)
    return lambda document: _key(next((value for group in found.find(document) for value in group), None))


def _key(value: JSON) -> Key:
    if value is None:
        return 0, 0.0, []
    if isinstance(value, bool | int | float):
        return 1, float(value), []
    if not isinstance(value, str):
        raise InvalidArgument("unsortable type")
    try:
        return 1, Quantity.parse(value).nanos / 1e9, []
    except InvalidArgument:
        return 2, 0.0, natural(value)
