"""YAML text -> values, as far as they are JSON: what Kubernetes accepts with the media type application/yaml.

The parser's events are read one by one, so that depth, and what aliases expand to, is counted before anything is
built: an alias
costs what it stands for each time. Moments stay text and keys become text, as in Go's conversion to JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import yaml

from jubako.cluster.types.decoding.parsing import Repeating
from jubako.cluster.types.document import JSON, Object
from jubako.errors import InvalidArgument

MAX_DEPTH = 150
MAX_NODES = 200_000
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"


def parse(body: bytes) -> JSON:
    """Return the first document, or None. Raises InvalidArgument for what is not JSON's kind of data."""
    return next(_documents(body), None)


def parse_all(body: bytes) -> list[JSON]:
    """Return every document of a text. Raises InvalidArgument."""
    return list(_documents(body))


def _documents(body: bytes) -> Iterator[JSON]:
    loader = _Loader(body)
    try:
        yield from _Builder(iter(loader.get_event, None), loader).documents()
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise InvalidArgument(f"yaml: {_one_line(error)}") from None
    finally:
        loader.dispose()


def _one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return " ".join(str(error).split())


class _Builder:
    def __init__(self, events: Iterator[yaml.Event], resolver: yaml.SafeLoader) -> None:
        self._events, self._resolver = events, resolver
        self._anchors: dict[str, JSON] = {}
        self._sizes: dict[str, int] = {}
        self._nodes = 0

    def documents(self) -> Iterator[JSON]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors.clear()
                yield self._node(next(self._events), 0)

    def _node(self, event: yaml.Event, depth: int) -> JSON:
        self._count(1, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._nodes
        value: JSON
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(depth)
        else:
            value = self._mapping(depth)
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            self._anchors[event.anchor], self._sizes[event.anchor] = value, self._nodes - before + 1
        return value

    def _count(self, nodes: int, depth: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise InvalidArgument("yaml: document contains excessive aliasing")
        if depth > MAX_DEPTH:
            raise InvalidArgument("yaml: exceeded max depth")

    def _alias(self, event: yaml.AliasEvent) -> JSON:
        if event.anchor not in self._anchors:
            raise InvalidArgument(f"yaml: unknown anchor '{event.anchor}' referenced")
        self._count(self._sizes[event.anchor], 0)
        return _copied(self._anchors[event.anchor])

    def _sequence(self, depth: int) -> JSON:
        items: list[JSON] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> JSON:
        found, repeated = Repeating(), list[str]()
        merged: Object = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            merges = isinstance(event, yaml.ScalarEvent) and self._tag(event) == _MERGE
            key = "<<" if merges else _key(self._node(event, depth + 1))
            value = self._node(next(self._events), depth + 1)
            if merges:
                merged.update(_merge(value))
            elif key in found:
                repeated.append(key)
            found.update({} if merges else {key: value})
        found.repeated = repeated
        for key, value in merged.items():
            found.setdefault(key, value)
        return found

    def _tag(self, event: yaml.ScalarEvent) -> str:
        resolved = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit)  # type: ignore[no-untyped-call]
        return event.tag or str(resolved)

    def _scalar(self, event: yaml.ScalarEvent) -> JSON:
        node = yaml.ScalarNode(self._tag(event), event.value)
        match node.tag.rpartition(":")[2]:
            case "null":
                return None
            case "bool":
                return bool(self._resolver.construct_yaml_bool(node))
            case "int":
                return int(self._resolver.construct_yaml_int(node))
            case "float":
                return _finite(float(self._resolver.construct_yaml_float(node)))
        return str(event.value)


def _key(value: JSON) -> str:
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
    raise InvalidArgument("yaml: a key is not a scalar")


def _merge(value: JSON) -> Object:
    found: Object = {}
    for part in reversed(value if isinstance(value, list) else [value]):
        if not isinstance(part, dict):
            raise InvalidArgument("yaml: map merge requires map or sequence of maps as the value")
        found.update(part)
    return found


def _finite(value: float) -> JSON:
    if not math.isfinite(value):
        raise InvalidArgument(f"json: unsupported value: {value}")
    return value


def _copied(value: JSON) -> JSON:
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, dict):
        copy = Repeating({key: _copied(item) for key, item in value.items()})
        copy.repeated = value.repeated if isinstance(value, Repeating) else []
        return copy
    return value
