"""How many requests a client may send: buckets of tokens, shared by all processes of a registry.

Each bucket is a place in shared memory that the client's name hashes to: so many clients never cost more memory, and
two that share a place share its tokens. Two processes that count at the same moment may lose one of their requests.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from jubako.registry.server.config.schema import Limits

PLACES = 4096
NUMBERS = 2 * PLACES
# Passwords that one address may guess at before it waits, and each second.
_GUESSES = 20
_GUESSES_A_SECOND = 0.2


class RateLimiter:
    """`numbers` holds tokens that were used and when that was counted, for each place."""

    def __init__(
        self,
        limits: Limits,
        numbers: memoryview[float],
        key: bytes,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._numbers = numbers
        self._key = key
        self._clock = clock

    def take(self, client: str) -> float:
        """Count a request of `client`; the seconds to wait where it is one too many, and 0 where it is not."""
        if self._limits.rate is None:
            return 0.0
        return self._take(f"request {client}", self._limits.rate, self._limits.burst, 1)

    def may_guess(self, address: str) -> float:
        """The seconds that `address` must wait before it may try another password; 0 when it may now."""
        return self._take(f"guess {address}", _GUESSES_A_SECOND, _GUESSES, 0)

    def guessed_wrong(self, address: str) -> None:
        self._take(f"guess {address}", _GUESSES_A_SECOND, _GUESSES, 1)

    def _take(self, name: str, rate: float, burst: float, cost: int) -> float:
        place = int.from_bytes(hashlib.blake2b(name.encode(), key=self._key, digest_size=4).digest(), "big") % PLACES
        numbers, at, now = self._numbers, 2 * place, self._clock()
        used = max(0.0, numbers[at] - (now - numbers[at + 1]) * rate)
        if used + max(cost, 1) > burst:
            return (used + max(cost, 1) - burst) / rate
        numbers[at], numbers[at + 1] = used + cost, now
        return 0.0
