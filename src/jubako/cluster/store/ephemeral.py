"""Keys that need not survive the store's process: Events and Leases.

Model:        a rule is a prefix and how long what lies under it lives after its last write, or None: until it is
              deleted. As the time is the same for all keys of a rule, the order of writes is the order of ends.
Concurrency:  none of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import takewhile

from jubako.cluster.store.model import Event

Rules = Mapping[str, float | None]


class Ephemeral:
    def __init__(self, rules: Rules) -> None:
        self._prefixes = tuple(rules)
        self._ends: dict[str, tuple[float, dict[str, float]]] = {
            prefix: (ttl_s, {}) for prefix, ttl_s in rules.items() if ttl_s is not None
        }

    def covers(self, key: str) -> bool:
        """Whether the key is one of these."""
        return key.startswith(self._prefixes)

    def meets(self, prefix: str) -> bool:
        """Whether a key with `prefix` may be one of these."""
        return self.covers(prefix) or any(own.startswith(prefix) for own in self._prefixes)

    def note(self, events: Iterable[Event], now: float) -> None:
        """Begin, renew and end lives as the events say."""
        for event in events:
            for prefix, (ttl_s, ends) in self._ends.items():
                if event.key.startswith(prefix):
                    ends.pop(event.key, None)
                    if event.current:
                        ends[event.key] = now + ttl_s

    def ended(self, now: float) -> list[str]:
        """Return the keys whose time is over."""
        return [
            key for _, ends in self._ends.values() for key, _ in takewhile(lambda entry: entry[1] <= now, ends.items())
        ]

    def next_end(self) -> float | None:
        """When the next life ends."""
        return min((next(iter(ends.values())) for _, ends in self._ends.values() if ends), default=None)
