"""The annotation in which kubectl's client-side apply keeps what it applied.

Model:  an applier with kubectl's own name takes over, without a conflict, what the annotation says and the object still
        has; and where there is such an annotation it is kept true, so that one can go back.
"""

from __future__ import annotations

import json

from jubako.cluster.fields import sets
from jubako.cluster.fields.comparing import compare
from jubako.cluster.fields.reading import fields_of
from jubako.cluster.fields.sets import Fields
from jubako.cluster.fields.shapes import Shape, Unkeyed
from jubako.cluster.types.document import JSON, Object, at, mapping

ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
CLIENT = "kubectl"


def fields(shape: Shape, document: Object) -> Fields:
    """Return what the annotation says and the document has as it says; nothing where it is none."""
    text = at(document, "metadata", "annotations", ANNOTATION)
    try:
        said: JSON = json.loads(text) if isinstance(text, str) else {}
        applied = mapping(said)
        changes = compare(shape, applied, document)
        return sets.difference(fields_of(shape, applied), sets.union(changes.set, changes.removed))
    except (ValueError, RecursionError, Unkeyed):
        return {}


def renewed(document: Object, config: Object) -> Object:
    """Return the document with an annotation, if it has one, that says what was applied."""
    metadata = mapping(document.get("metadata"))
    annotations = mapping(metadata.get("annotations"))
    if ANNOTATION not in annotations:
        return document
    said = json.dumps(_unannotated(config), separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"
    return {**document, "metadata": {**metadata, "annotations": {**annotations, ANNOTATION: said}}}


def _unannotated(config: Object) -> Object:
    metadata = mapping(config.get("metadata"))
    if "annotations" not in metadata:
        return config
    kept = {name: held for name, held in mapping(metadata["annotations"]).items() if name != ANNOTATION}
    return {**config, "metadata": {**metadata, "annotations": kept}}
