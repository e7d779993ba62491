"""Strategic merge patches, as kubectl makes them.

Model:  a merge patch that also merges lists whose elements have a key, and knows directives:
          $patch: replace | delete             in an object, or in an element of a list for this element or the list
          $retainKeys: [NAME, …]               no other members stay
          $deleteFromPrimitiveList/FIELD: […]  these scalars go
          $setElementOrder/FIELD: […]          the order of the list afterwards
Spec:   kubernetes/community, contributors/devel/sig-api-machinery, "strategic-merge-patch".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jubako.cluster.patch.failure import Unprocessable
from jubako.cluster.patch.order import Identity, identity, ordered
from jubako.cluster.patch.schema import PatchSchema, Path
from jubako.cluster.types.document import JSON, Object, array, mapping
from jubako.errors import InvalidArgument

PATCH, RETAIN = "$patch", "$retainKeys"
DELETE_PREFIX, ORDER_PREFIX = "$deleteFromPrimitiveList/", "$setElementOrder/"


def apply_strategic(document: Object, patch: Object, schema: PatchSchema) -> Object:
    """Return `document` with the patch merged in; InvalidArgument, Unprocessable."""
    return _Merge(schema).object(document, patch, ())


class _Merge:
    def __init__(self, schema: PatchSchema) -> None:
        self._schema = schema

    def object(self, original: Object, patch: Object, path: Path) -> Object:
        if PATCH in patch:
            return self._directed(patch, path)
        result = _retained(original, patch)
        for field, gone in _lists(patch, DELETE_PREFIX):
            if field in result:
                result[field] = _without(array(result[field]), gone)
        for name, value in patch.items():
            if value is None:
                result.pop(name, None)
            elif not _is_directive(name):
                result[name] = self._value(result.get(name), value, (*path, name))
        for field, order in _lists(patch, ORDER_PREFIX):
            if field in result:
                before, added = array(original.get(field)), array(patch.get(field))
                result[field] = self._reordered(array(result[field]), added, order, before, (*path, field))
        return result

    def _directed(self, patch: Object, path: Path) -> Object:
        match patch[PATCH]:
            case "replace":
                return self.object({}, {name: value for name, value in patch.items() if name != PATCH}, path)
            case "delete":
                return {}
            case directive:
                raise Unprocessable(f"unknown patch type: {directive!r} at {'.'.join(path)}")

    def _value(self, original: JSON, patch: JSON, path: Path) -> JSON:
        if isinstance(patch, dict):
            return self.object({} if self._schema.replaces(path) else mapping(original), patch, path)
        if isinstance(patch, list):
            key = self._schema.merge_key(path)
            return patch if key is None else self._list(array(original), patch, key, path)
        return patch

    def _list(self, original: Sequence[JSON], patch: Sequence[JSON], key: str, path: Path) -> list[JSON]:
        _check_elements([*original, *patch], key, path)
        identify = identity(key)
        if not key:
            merged = [*{identify(element): element for element in (*original, *patch)}.values()]
            return ordered(merged, patch, original, identify)
        kept, added = self._deletions(original, patch, key, path)
        merged = self._elements(kept, added, identify, path)
        return ordered(merged, added, kept, identify)

    def _deletions(
        self, original: Sequence[JSON], patch: Sequence[JSON], key: str, path: Path
    ) -> tuple[list[JSON], list[Object]]:
        """Return what stays of a list, and the elements of its patch that are not directives."""
        identify = identity(key)
        kept, added, replaced = [*original], [], False
        for element in map(mapping, patch):
            directive = element.get(PATCH)
            if directive != "replace" and key not in element:
                raise Unprocessable(f"an element of {'.'.join(path)} does not contain declared merge key: {key}")
            match directive:
                case None:
                    added.append(element)
                case "delete":
                    kept = [other for other in kept if identify(other) != identify(element)]
                case "replace":
                    replaced = True
                case "merge":
                    raise Unprocessable("merging lists cannot yet be specified in the patch")
                case _:
                    raise Unprocessable(f"unknown patch type: {directive!r} in {'.'.join(path)}")
        return [] if replaced else kept, added

    def _elements(self, kept: Sequence[JSON], added: Sequence[Object], identify: Identity, path: Path) -> list[JSON]:
        """Merge each element into the first with its key, or append it."""
        merged = [*kept]
        places = {identify(element): index for index, element in reversed([*enumerate(merged)])}
        for element in added:
            index = places.setdefault(identify(element), len(merged))
            if index == len(merged):
                merged.append({})
            merged[index] = self.object(mapping(merged[index]), element, path)
        return merged

    def _reordered(
        self, merged: Sequence[JSON], added: Sequence[JSON], order: Sequence[JSON], before: Sequence[JSON], path: Path
    ) -> list[JSON]:
        identify = identity(self._schema.merge_key(path) or "")
        named = [identify(element) for element in order]
        wanted = [identify(element) for element in added if PATCH not in mapping(element)]
        if [each for each in named if each in wanted] != wanted:
            raise InvalidArgument(f"the order in the patch of {'.'.join(path)} doesn't match {ORDER_PREFIX} list")
        return ordered(merged, order, before, identify)


def _retained(original: Object, patch: Object) -> Object:
    if RETAIN not in patch:
        return dict(original)
    names = patch[RETAIN]
    if not isinstance(names, list):
        raise InvalidArgument(f"{RETAIN} must be a list of names")
    if any(name not in names for name, value in patch.items() if value is not None and not _is_directive(name)):
        raise InvalidArgument(f"{RETAIN} must name every member of the patch")
    return {name: value for name, value in original.items() if name in names}


def _lists(patch: Object, prefix: str) -> Iterator[tuple[str, list[JSON]]]:
    """The lists of the directives that begin so, by the field that they are for."""
    for name, value in patch.items():
        if name.startswith(prefix):
            if not isinstance(value, list):
                raise InvalidArgument(f"{name} must be a list")
            yield name.removeprefix(prefix), value


def _is_directive(name: str) -> bool:
    return name in (PATCH, RETAIN) or name.startswith((DELETE_PREFIX, ORDER_PREFIX))


def _without(elements: Sequence[JSON], gone: Sequence[JSON]) -> list[JSON]:
    identify = identity("")
    removed = {identify(element) for element in gone}
    return [element for element in elements if identify(element) not in removed]


def _check_elements(elements: Sequence[JSON], key: str, path: Path) -> None:
    for element in elements:
        if isinstance(element, list) or isinstance(element, dict) != bool(key):
            expected = "objects" if key else "scalars"
            raise Unprocessable(f"{'.'.join(path)} is a list of {expected}, not of {type(element).__name__}")
