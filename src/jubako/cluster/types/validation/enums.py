"""Fields whose values are a closed set: facts/enums.txt has the sets, a walk through the table finds the fields."""

from __future__ import annotations

from functools import lru_cache

from jubako.cluster.types import factfile
from jubako.cluster.types.document import JSON, Object, array, mapping
from jubako.cluster.types.schema import Field, Message
from jubako.cluster.types.validation.errors import Errors


@lru_cache(maxsize=1)
def sets() -> dict[str, tuple[str, ...]]:
    """Return the values of each set by its name."""
    rows = (line.split() for line in factfile.read("enums").splitlines())
    return {name: tuple(value.strip('"') for value in values) for name, *values in rows}


def check(errors: Errors, message: Message, value: Object, path: str = "") -> None:
    """Note each field below `value` that holds none of the values of its set; what is empty is for others to
    require."""
    for name, held in value.items():
        field = message.by_name.get(name)
        if field and (field.message or field.values in sets()):
            for where, item in _items(field, held, f"{path}.{name}" if path else name):
                _one(errors, field, item, where)


def _one(errors: Errors, field: Field, item: JSON, path: str) -> None:
    if field.message:
        check(errors, field.message, mapping(item), path)
    elif item and item not in sets()[field.values]:
        errors.unsupported(path, item, sets()[field.values])


def _items(field: Field, value: JSON, path: str) -> list[tuple[str, JSON]]:
    if field.shape == "list":
        return [(f"{path}[{n}]", item) for n, item in enumerate(array(value))]
    if field.shape == "map":
        return [(f"{path}[{key}]", item) for key, item in mapping(value).items()]
    return [(path, value)]
