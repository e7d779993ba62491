"""The order of a merged list: that of the patch for what it names, that of the server for what else there is.

Spec: kubernetes/community, contributors/design-proposals, "preserve-order-in-strategic-merge-patch".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from jubako.cluster.types.document import JSON

Identity = Callable[[JSON], bytes]
"""What tells an element from others, in a form that can be compared."""


def identity(merge_key: str) -> Identity:
    """By the field `merge_key` of objects, or by the whole of scalars where it is empty."""
    if not merge_key:
        return msgspec.json.encode
    return lambda element: msgspec.json.encode(element.get(merge_key) if isinstance(element, dict) else None)


def ordered(merged: Sequence[JSON], named: Sequence[JSON], server: Sequence[JSON], identify: Identity) -> list[JSON]:
    """Sort `merged`: elements in `named` by their order there, all others by their order in `server`.

    Of two such sequences, an element of the server's comes first only where `server` has both, in this order: what
    is new comes before what only the server has.
    """
    wanted = _positions(named, identify)
    known = _positions(server, identify)
    left = [element for element in merged if identify(element) not in wanted]
    right = [element for element in merged if identify(element) in wanted]
    right.sort(key=lambda element: wanted[identify(element)])
    left.sort(key=lambda element: known.get(identify(element), len(known)))
    result: list[JSON] = []
    while left and right:
        first, second = known.get(identify(left[0])), known.get(identify(right[0]))
        server_first = first is not None and second is not None and first < second
        result.append((left if server_first else right).pop(0))
    return [*result, *left, *right]


def _positions(elements: Sequence[JSON], identify: Identity) -> dict[bytes, int]:
    positions: dict[bytes, int] = {}
    for index, element in enumerate(elements):
        positions.setdefault(identify(element), index)
    return positions
