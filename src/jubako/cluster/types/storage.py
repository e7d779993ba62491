"""The StorageClass of claims that name none. Spec: "Storage Classes", Default StorageClass."""

from __future__ import annotations

from collections.abc import Iterable

from jubako.cluster.types.document import Object, at, text

IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def default_class(classes: Iterable[Object]) -> str | None:
    """Return the name of the default class: of several the newest, of those made together the first by name."""
    marked = sorted((each for each in classes if is_default(each)), key=_name)
    return _name(max(marked, key=_made)) if marked else None


def is_default(class_: Object) -> bool:
    return at(class_, "metadata", "annotations", IS_DEFAULT) == "true"


def _name(class_: Object) -> str:
    return text(at(class_, "metadata", "name"))


def _made(class_: Object) -> str:
    return text(at(class_, "metadata", "creationTimestamp"))
