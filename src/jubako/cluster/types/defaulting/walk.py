"""The walk through a document that defaults it."""

from __future__ import annotations

import copy

from jubako.cluster.types.defaulting.constants import constants
from jubako.cluster.types.defaulting.rules import RULES
from jubako.cluster.types.document import JSON, Object, array, mapping
from jubako.cluster.types.schema import Field, Message
from jubako.cluster.types.served import Kind


def default(kind: Kind, document: Object) -> None:
    """Fill in a document, in place."""
    _message(kind.message, document)


def _message(message: Message, document: Object) -> None:
    for rule in RULES.get(message.name, ()):
        rule(document)
    for name, value in constants().get(message.name, {}).items():
        _constant(message, document, name, value)
    for name, held in list(document.items()):
        field = message.by_name.get(name)
        if field and field.message:
            for item in _items(field, held):
                _message(field.message, item)


def _constant(message: Message, document: Object, name: str, value: JSON) -> None:
    field = message.by_name[name]
    held = document.get(name)
    # To Go a field that is no pointer and zero is a field that nobody set.
    if held is None or (not field.pointer and not held and held != value):
        document[name] = copy.copy(value)


def _items(field: Field, value: JSON) -> list[Object]:
    if field.shape == "list":
        held = array(value)
    elif field.shape == "map":
        held = list(mapping(value).values())
    else:
        held = [value]
    return [item for item in held if isinstance(item, dict)]
