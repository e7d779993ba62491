"""The automatic collection of the build cache: after a build that added to it, some minutes after the last one at the
earliest, and else once a day.

Layout:       ROOT/cache/collected    locked by the one that collects; its time is that of the last collection
Order:        records go first, in the order of the policies; then whatever nothing names any more is deleted.
In use:       what stands in a lease, and a mount that is locked, stays: other builds may run meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jubako.build.cache import BuildCache
from jubako.build.cachemounts import CacheMounts
from jubako.linux import locks

if TYPE_CHECKING:
    from jubako.build.cacheusage import CacheRecord
    from jubako.build.options import BuildDrivers

_EVERY_S, _WHEN_GROWN_S = 24 * 3600, 600

Collect = Callable[[], int]
"""Deletes all that no record needs, and returns the bytes freed."""


def is_due(root: Path, *, has_grown: bool) -> bool:
    """Whether the last collection is long enough ago."""
    try:
        return abs(time.time() - _stamp(root).stat().st_mtime) > (_WHEN_GROWN_S if has_grown else _EVERY_S)
    except FileNotFoundError:
        return True


def collect_cache(drivers: BuildDrivers, collect: Collect) -> list[CacheRecord]:
    """Go through the policies and return what went. Raises InvalidArgument for a bad configuration."""
    from jubako.build.cacheprune import choose, remove
    from jubako.build.cacheusage import usage
    from jubako.build.gcpolicy import Disk, load, policies

    with _alone(_stamp(drivers.root)) as is_alone:
        if not is_alone:
            return []
        disk = Disk.of(drivers.root)
        wanted = policies(load(), disk)
        shared = {layer for image in drivers.images.list() for layer in image.diff_ids} if wanted else set()
        cache, mounts, free_bytes = BuildCache(drivers.store), CacheMounts(drivers.root), disk.free_bytes
        records = usage(cache, mounts, drivers.snapshotter.layer_path, shared) if wanted else []
        gone: list[CacheRecord] = []
        for policy in wanted:
            taken = choose(records, policy, free_bytes=free_bytes)
            free_bytes += sum(record.size_bytes for record in taken)
            gone += taken
            records = [record for record in records if record not in taken]
        remove(gone, cache, mounts)
        if gone:
            collect()
        return gone


def _stamp(root: Path) -> Path:
    return root / "cache" / "collected"


@contextmanager
def _alone(stamp: Path) -> Iterator[bool]:
    """Tell whether nobody else collects; if so, this collection is the last one from now on."""
    stamp.parent.mkdir(mode=0o700, exist_ok=True)
    fd = os.open(stamp, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        is_alone = locks.take(fd)
        if is_alone:
            os.utime(fd)
        yield is_alone
    finally:
        os.close(fd)
