"""The patch of `apply`: what a manifest has and the object has not, less what only the manifest before had.

Model:     original (what was applied the last time), modified (what is applied now), current (what there is). A field
           goes only if it was in original; what others have set stays.
Invariant: apply_strategic(current, patch) has all of modified, in its order, and a second patch changes nothing.
Spec:      "How apply calculates differences and merges changes"; strategic-merge-patch for lists with keys.
"""

from __future__ import annotations

from jubako.cluster.patch.order import identity
from jubako.cluster.patch.schema import PatchSchema, Path
from jubako.cluster.patch.strategic import DELETE_PREFIX, ORDER_PREFIX, PATCH, RETAIN
from jubako.cluster.types.document import JSON, Object, array, mapping


class PlainSchema:
    """Of a kind that nobody knows: lists are replaced, so that the patch is a JSON merge patch."""

    def merge_key(self, path: Path) -> str | None:
        return None

    def replaces(self, path: Path) -> bool:
        return False

    def retains(self, path: Path) -> bool:
        return False


def three_way(original: Object, modified: Object, current: Object, schema: PatchSchema) -> Object:
    """Return the patch that brings `current` to what `modified` says."""
    return _Difference(schema).object(original, modified, current, ())


class _Difference:
    def __init__(self, schema: PatchSchema) -> None:
        self._schema = schema

    def object(self, original: Object, modified: Object, current: Object, path: Path) -> Object:
        patch: Object = {name: None for name in original if name not in modified and name in current}
        for name, value in modified.items():
            if name not in current:
                patch |= {} if value is None else {name: value}
            else:
                patch |= self._member(name, original.get(name), value, current[name], (*path, name))
        if patch and self._schema.retains(path):
            patch[RETAIN] = [*sorted(name for name, value in modified.items() if value is not None)]
        return patch

    def _member(self, name: str, original: JSON, modified: JSON, current: JSON, path: Path) -> Object:
        if isinstance(modified, dict) and isinstance(current, dict) and not self._schema.replaces(path):
            inner = self.object(mapping(original), modified, current, path)
            return {name: inner} if inner else {}
        key = self._schema.merge_key(path)
        if isinstance(modified, list) and isinstance(current, list) and key is not None:
            whole = self._scalars if not key else self._elements
            return whole(name, array(original), modified, current, path)
        return {} if _same(modified, current) else {name: modified}

    def _scalars(
        self, name: str, original: list[JSON], modified: list[JSON], current: list[JSON], path: Path
    ) -> Object:
        added = [each for each in modified if each not in current]
        gone = [each for each in original if each not in modified and each in current]
        patch: Object = {name: added} if added else {}
        patch |= {DELETE_PREFIX + name: gone} if gone else {}
        return {**patch, ORDER_PREFIX + name: [*modified]} if patch or modified != current else {}

    def _elements(
        self, name: str, original: list[JSON], modified: list[JSON], current: list[JSON], path: Path
    ) -> Object:
        """Compare lists whose elements have a key: each with the one of the same key."""
        key = self._schema.merge_key(path) or ""
        identify = identity(key)
        before, now = ({identify(each): mapping(each) for each in reversed(listed)} for listed in (original, current))
        wanted = {identify(each) for each in modified}
        changed: list[JSON] = []
        for element in map(mapping, modified):
            mine = identify(element)
            inner = self.object(before.get(mine, {}), element, now[mine], path) if mine in now else element
            changed += [{**inner, key: element.get(key)}] if inner else []
        changed += [
            {PATCH: "delete", key: each.get(key)} for mine, each in before.items() if mine not in wanted and mine in now
        ]
        order: list[JSON] = [{key: mapping(each).get(key)} for each in modified]
        patch: Object = {name: changed} if changed else {}
        is_ordered = [identify(each) for each in modified] == [identify(each) for each in current]
        return {**patch, ORDER_PREFIX + name: order} if changed or not is_ordered else {}


def _same(one: JSON, other: JSON) -> bool:
    """Equality of JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other
