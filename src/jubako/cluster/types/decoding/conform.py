"""Values -> a document of a message: what is left after Go has decoded them into its structs and written them again.

Unknown fields go, and are told (`Problems`); null is absent; quantities and moments get their canonical form; what
Go writes
even when nobody set it is there. A value of the wrong type is InvalidArgument with the message of Go's decoder.
"""

from __future__ import annotations

from collections.abc import Callable

from jubako.cluster.types.decoding.parsing import Repeating
from jubako.cluster.types.decoding.scalars import READERS, Mismatch, kind_of, sound
from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.empty import element, omitted, zero
from jubako.cluster.types.schema import Field, Message
from jubako.errors import InvalidArgument

MAX_DEPTH = 150
_MAX_PROBLEMS = 100


class Problems:
    """What strict decoding reports, in the order of the fields: each once, a hundred at most."""

    def __init__(self) -> None:
        self.found: dict[str, None] = {}

    def add(self, what: str, path: str) -> None:
        if len(self.found) < _MAX_PROBLEMS:
            self.found[f'{what} field "{path}"'] = None


class Conforming:
    """One walk through one body. `path` has indexes, as strict decoding reports it; `names` has none, as Go's
    decoder does."""

    def __init__(self) -> None:
        self.problems = Problems()

    def message(self, message: Message, value: Object, path: str = "", names: str = "", depth: int = 0) -> Object:
        if depth > MAX_DEPTH:
            raise InvalidArgument("exceeded max depth")
        self._report(message, value, path)
        document: Object = {}
        for name, field in message.by_name.items():
            held = zero(field)
            if (given := value.get(name)) is not None:
                held = self._field(message, field, given, _join(path, name), _join(names, name), depth)
            if not omitted(field, held):
                document[name] = held
        return document

    def _report(self, message: Message, value: Object, path: str) -> None:
        for name in value:
            if name not in message.by_name:
                self.problems.add("unknown", _join(path, name))
        self._repeated(value, path)

    def _repeated(self, value: Object, path: str) -> None:
        if isinstance(value, Repeating):
            for name in value.repeated:
                self.problems.add("duplicate", _join(path, name))

    def _field(self, owner: Message, field: Field, value: JSON, path: str, names: str, depth: int) -> JSON:
        if field.shape == "list":
            items = _list(owner, field, value, names)
            return [self._one(owner, field, item, f"{path}[{n}]", names, depth) for n, item in enumerate(items)]
        if field.shape == "map":
            entries = _dict(owner, field, value, names, go_type(field))
            self._repeated(entries, path)
            return {
                sound(key): self._one(owner, field, item, _join(path, key), names, depth)
                for key, item in entries.items()
            }
        return self._one(owner, field, value, path, names, depth)

    def _one(self, owner: Message, field: Field, value: JSON, path: str, names: str, depth: int) -> JSON:
        if value is None:
            return element(field)
        if field.message:
            item = _dict(owner, field, value, names, field.message.go_name)
            return self.message(field.message, item, path, names, depth + 1)
        reader: Callable[[JSON], JSON] = READERS[field.type]
        try:
            return reader(value)
        except Mismatch as error:
            what = str(error) or kind_of(value)
            raise InvalidArgument(_unreadable(what, owner, names, scalar_type(field))) from None


def go_type(field: Field) -> str:
    """Return the type as Go names it in errors: []v1.Container, map[string]string, *int32 without its star."""
    base = field.message.go_name if field.message else scalar_type(field)
    return {"one": base, "list": "[]" + base, "map": "map[string]" + base}[field.shape]


def scalar_type(field: Field) -> str:
    if field.values:
        return f"v1.{field.values}"
    return {"double": "float64", "bytes": "[]uint8", "Strings": "[]string"}.get(field.type, field.type)


def _list(owner: Message, field: Field, value: JSON, names: str) -> list[JSON]:
    if isinstance(value, list):
        return value
    raise InvalidArgument(_unreadable(kind_of(value), owner, names, go_type(field)))


def _dict(owner: Message, field: Field, value: JSON, names: str, go: str) -> Object:
    if isinstance(value, dict):
        return value
    raise InvalidArgument(_unreadable(kind_of(value), owner, names, go))


def _unreadable(what: str, owner: Message, names: str, go: str) -> str:
    if what.startswith("!"):
        return what[1:]
    return f"json: cannot unmarshal {what} into Go struct field {owner.local_name}.{names} of type {go}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
