"""The current items, by key and in the order of their keys.

Model:        a dictionary and a sorted list of its keys. 10,000 items are listed in about a millisecond.
Concurrency:  none of its own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence

from jubako.cluster.store.model import Item


class Table:
    def __init__(self, items: Iterable[Item] = ()) -> None:
        self._items = {item.key: item for item in items}
        self._keys = sorted(self._items)

    def get(self, key: str) -> Item | None:
        return self._items.get(key)

    def put(self, item: Item) -> None:
        if item.key not in self._items:
            insort(self._keys, item.key)
        self._items[item.key] = item

    def remove(self, key: str) -> None:
        del self._items[key]
        del self._keys[bisect_left(self._keys, key)]

    def page(self, prefix: str, after: str, limit: int, past: Mapping[str, Item | None]) -> tuple[list[Item], int]:
        """Return `limit` items (0: all) under `prefix` with keys beyond `after`, and how many more there are.

        `past` says for some keys under the prefix what counts as their item, or that they have none.
        """
        start = max(bisect_left(self._keys, prefix), bisect_right(self._keys, after))
        keys: Sequence[str] = self._keys[start : bisect_left(self._keys, beyond(prefix), start)]
        if past:
            other = [key for key, item in past.items() if item and key > after]
            keys = sorted([*(key for key in keys if key not in past), *other])
        chosen = keys[:limit] if limit else keys
        return [past.get(key) or self._items[key] for key in chosen], len(keys) - len(chosen)


def beyond(prefix: str) -> str:
    """The least string that is greater than all that begin with `prefix`."""
    head = prefix.rstrip("\U0010ffff")
    return head[:-1] + chr(ord(head[-1]) + 1) if head else "\U0010ffff" * (len(prefix) + 1)
