"""An applied document over the one that is there.

Model:  leaves are the applier's; objects and keyed lists have the parts of both. A list has the applier's order, and
        what only the live one has stands where it stood: before the next element that both have.
"""

from __future__ import annotations

from collections.abc import Iterator

from jubako.cluster.fields.reading import indexed
from jubako.cluster.fields.shapes import Shape
from jubako.cluster.types.document import JSON, Object, array, mapping


def merged(shape: Shape, live: Object, config: Object) -> Object:
    """Return a document that shares parts with both. Raises Unkeyed."""
    result = dict(live)
    for name, value in config.items():
        result[name] = _value(shape.member(name), live[name], value) if name in live else value
    return result


def _value(shape: Shape, live: JSON, config: JSON) -> JSON:
    if shape.what == "leaf" or not live:
        return config
    if shape.what in ("keyed", "set"):
        return list(_items(shape, live, config))
    return merged(shape, mapping(live), mapping(config))


def _items(shape: Shape, live: JSON, config: JSON) -> Iterator[JSON]:
    ours, theirs = indexed(shape, live), indexed(shape, config)
    shared = [element for element in theirs if element in ours]
    coming = iter(theirs)
    for item in array(live):
        element = shape.element(item)
        if element not in theirs:
            yield item
        elif shared and element == shared[0]:
            yield from _until(shared.pop(0), coming, shape, ours, theirs)
    yield from _until("", coming, shape, ours, theirs)


def _until(
    last: str, coming: Iterator[str], shape: Shape, ours: dict[str, list[JSON]], theirs: dict[str, list[JSON]]
) -> Iterator[JSON]:
    """Yield what comes of the applier's elements, up to the `last` one."""
    for element in coming:
        wanted = theirs[element][0]
        yield _value(shape.item, ours[element][0], wanted) if element in ours else wanted
        if element == last:
            return
