"""Whole objects: as YAML, as JSON, or only their names."""

from __future__ import annotations

from collections.abc import Sequence

from jubako.cli.kube.output import goyaml
from jubako.cluster.client import gojson
from jubako.cluster.types.document import JSON, Object, at, mapping, text


def as_json(document: JSON) -> str:
    return gojson.indented(document)


def as_yaml(document: JSON) -> str:
    return goyaml.dump(document)


def as_name(document: Object) -> str:
    """Return KIND.GROUP/NAME."""
    group = text(document.get("apiVersion")).rpartition("/")[0]
    kind = text(document.get("kind")).lower()
    return f"{kind}.{group}/{name_of(document)}" if group else f"{kind}/{name_of(document)}"


def name_of(document: Object) -> str:
    return text(at(document, "metadata", "name"))


def listed(items: Sequence[Object]) -> Object:
    """Return a List of objects that were fetched apart."""
    return {"apiVersion": "v1", "items": [*items], "kind": "List", "metadata": {"resourceVersion": ""}}


def without_managers(document: Object) -> Object:
    """Return the object without metadata.managedFields, which are for programs."""
    metadata = {name: value for name, value in mapping(document.get("metadata")).items() if name != "managedFields"}
    return {**document, "metadata": metadata} if "metadata" in document else document
