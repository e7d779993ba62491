"""How a client talks to registries."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec


class ClientOptions(msgspec.Struct, frozen=True, kw_only=True):
    """`insecure` allows plain HTTP and any certificate; a loopback registry may speak plain HTTP anyway."""

    insecure: bool = False
    ca_file: Path | None = None
    """Trusted besides the system's."""
    client_certificate: tuple[Path, Path] | None = None
    """A certificate and its key, for registries that want to see one."""
    connect_timeout_s: float = 15.0
    timeout_s: float = 60.0
    """How long a registry may be silent in the middle of an answer."""
    first_answer_s: float = 15.0
    """How long it may take to answer at all, the first time; then it is given up."""
    standstill_s: float = 900.0
    """How long to wait for another process that downloads the same, and gets no further: longer than its own tries."""
    retries: int = 5
    parallel: int = 4
    """Blobs in transfer at the same time."""
    ranges: int | None = None
    """In how many ranges at once a blob of `ranges_from_bytes` comes; by default RANGES, from this machine itself 1."""
    ranges_from_bytes: int = 64 << 20
    sleep: Callable[[float], None] = time.sleep


RANGES = 4
DEFAULT = ClientOptions()
