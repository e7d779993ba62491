"""Memory that all processes of one registry share: counters, and the buckets of rate limits.

It is anonymous and lives as long as they do. Each process adds to a stripe of its own, so that nobody waits for
anybody; readers add the stripes up. A process that is started again goes on with its stripe.
"""

from __future__ import annotations

import mmap
import os
from typing import NamedTuple

_NUMBER_BYTES = 8


class Shared(NamedTuple):
    """`key` makes what is hashed into the memory nobody's to foresee."""

    fd: int
    key: bytes
    process: int = 0
    processes: int = 1


def allocate(processes: int, numbers: int) -> Shared:
    """Return memory for `numbers` numbers; the first process has the stripe 0."""
    fd = os.memfd_create("jubako-registry", os.MFD_CLOEXEC)
    os.ftruncate(fd, numbers * _NUMBER_BYTES)
    return Shared(fd, os.urandom(16), 0, processes)


def numbers(shared: Shared) -> memoryview[float]:
    """The memory as numbers, zero at first."""
    return memoryview(mmap.mmap(shared.fd, 0)).cast("d")
