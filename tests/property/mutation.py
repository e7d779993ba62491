"""Good input with something changed, again and again: for as long as JUBAKO_FUZZ_S says, by default a moment."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence

DURATION_S = float(os.environ.get("JUBAKO_FUZZ_S", "0"))


def rounds(default_s: float) -> Iterator[tuple[int, random.Random]]:
    """Seeds, each with its chance, until the time is over; at least one."""
    seed, end = random.randrange(1 << 32), time.monotonic() + (DURATION_S or default_s)
    while True:
        seed += 1
        yield seed, random.Random(seed)
        if time.monotonic() >= end:
            return


def changed(data: bytes, chance: random.Random, words: Sequence[bytes], others: Sequence[bytes] = ()) -> bytes:
    """`data` with bytes, words and stretches put in, taken out, copied or taken from `others`, a few times."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        start = chance.randrange(len(found) + 1)
        end = min(len(found), start + chance.choice((0, 1, 1, 4, 20, 300)))
        match chance.randrange(6):
            case 0:
                found[start : start + 1] = bytes([chance.randrange(256)])
            case 1:
                found[start:end] = b""
            case 2:
                found[start:start] = found[start:end] * chance.choice((1, 2, 50))
            case 3 if others:
                other = chance.choice(others)
                place = chance.randrange(len(other) + 1)
                found[start:end] = other[place : place + chance.randrange(200)]
            case 4:
                found[start : start + 1] = (
                    bytes([found[start] ^ 1 << chance.randrange(8)]) if start < len(found) else b""
                )
            case _:
                found[start:end] = chance.choice(words)
    return bytes(found)
