"""What `kubectl get` prints: objects as rows of a Table, computed where the objects are, as Kubernetes does.

model      columns, and what all kinds have
ages       durations as people read them
pods       the STATUS of a pod and the rest of its row
workloads  what makes pods
services   services and the addresses behind them
ingresses  what leads to services from outside
storage    volumes, claims, classes
others     everything else that has columns of its own

Spec: k8s.io/kubernetes/pkg/printers/internalversion, as of 1.32; meta.k8s.io/v1 Table.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from jubako.cluster.types.columns import ingresses, others, pods, services, storage, workloads
from jubako.cluster.types.columns.model import DEFAULT, Columns, definitions
from jubako.cluster.types.document import JSON, Object, mapping
from jubako.cluster.types.served import Kind

IncludeObject = Literal["None", "Metadata", "Object"]
_PARTIAL = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
_ALL: dict[str, Columns] = {
    **pods.COLUMNS,
    **workloads.COLUMNS,
    **services.COLUMNS,
    **ingresses.COLUMNS,
    **storage.COLUMNS,
    **others.COLUMNS,
}


def table(
    kind: Kind,
    documents: Iterable[Object],
    now: datetime,
    *,
    metadata: Object | None = None,
    include_object: IncludeObject = "Metadata",
    headers: bool = True,
) -> Object:
    """Return the Table of some objects of a kind.

    `metadata` is that of their list (resourceVersion, continue); a watch leaves out the headers after its first event.
    """
    columns = _ALL.get(kind.message_name, DEFAULT)
    rows: list[JSON] = [_row(columns, document, now, include_object) for document in documents]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata or {},
        "columnDefinitions": definitions(columns) if headers else [],
        "rows": rows,
    }


def _row(columns: Columns, document: Object, now: datetime, include_object: IncludeObject) -> Object:
    row: Object = {"cells": columns.cells(document, now)}
    if columns.conditions and (conditions := columns.conditions(document)):
        row["conditions"] = conditions
    if include_object == "Metadata":
        row["object"] = {**_PARTIAL, "metadata": mapping(document.get("metadata"))}
    elif include_object == "Object":
        row["object"] = document
    else:
        row["object"] = None
    return row
