"""Which of the build cache a prune takes: by kind, age, size and free space.

Spec: BuildKit's garbage collection policies (reserved, maximum used and minimum free space).
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import msgspec

from jubako.build.cache import BuildCache
from jubako.build.cachemounts import CacheMounts
from jubako.build.cacheusage import MOUNT, REGULAR, CacheRecord
from jubako.build.truth import truth
from jubako.errors import InvalidArgument

_FILTERS = ("description", "id", "inuse", "mutable", "private", "shared", "type")


class PrunePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What to take. With any of the spaces set, only as much as they ask for, least recently used first.

    Without `all`, what images share stays.
    """

    all: bool = False
    filters: Mapping[str, str] = {}
    unused_for_ns: int | None = None
    reserved_bytes: int = 0
    max_used_bytes: int = 0
    min_free_bytes: int = 0


def matching(
    records: list[CacheRecord], filters: Mapping[str, str], unused_for_ns: int | None = None
) -> list[CacheRecord]:
    """Those that every filter lets through, and of which nothing was used for so long (`until` and `unused-for`).

    Raises InvalidArgument for a filter that there is not.
    """
    for name in filters:
        if name not in _FILTERS:
            known = ", ".join([*_FILTERS, "unused-for", "until"])
            raise InvalidArgument(f"invalid filter {name!r}", hint=f"there are {known}")
    found = [record for record in records if all(_fits(record, name, value) for name, value in filters.items())]
    if unused_for_ns is None:
        return found
    before_ns = time.time_ns() - unused_for_ns
    return [record for record in found if record.used_ns < before_ns]


def choose(records: list[CacheRecord], policy: PrunePolicy, *, free_bytes: int) -> list[CacheRecord]:
    """Which of `records` (most recently used first) the policy takes; `free_bytes` is the disk's."""
    chosen = matching(records, policy.filters, policy.unused_for_ns)
    candidates = [record for record in chosen if not record.in_use and (policy.all or not record.shared)]
    total = sum(record.size_bytes for record in records if policy.all or not record.shared)
    keep = _bytes_to_keep(policy, total, free_bytes)
    taken: list[CacheRecord] = []
    for record in reversed(candidates):
        if keep is not None and total <= keep:
            break
        taken.append(record)
        total -= record.size_bytes
    return taken


def remove(records: list[CacheRecord], cache: BuildCache, mounts: CacheMounts) -> None:
    """Forget them; what they took goes by collection, but mounts at once, unless somebody uses them by now."""
    cache.forget([key for record in records if record.type == REGULAR for key in record.keys])
    mounts.remove(record.keys[0] for record in records if record.type == MOUNT)


def _bytes_to_keep(policy: PrunePolicy, total: int, free_bytes: int) -> int | None:
    """How large the cache may stay; None when size does not matter."""
    if not (policy.reserved_bytes or policy.max_used_bytes or policy.min_free_bytes):
        return None
    keep = policy.max_used_bytes or (total if policy.min_free_bytes else 0)
    if (missing := policy.min_free_bytes - free_bytes) > 0:
        keep = min(keep, total - missing)
    return max(keep, policy.reserved_bytes)


def _fits(record: CacheRecord, name: str, value: str) -> bool:
    match name:
        case "id":
            return any(key.startswith(value) for key in record.keys)
        case "description":
            return value in record.description
        case "shared" | "private":
            return record.shared == (_truth(name, value) == (name == "shared"))
        case "inuse":
            return record.in_use == _truth(name, value)
        case "mutable":
            return (record.type == MOUNT) == _truth(name, value)
        case _:
            return record.type in value.split(",")


def _truth(name: str, value: str) -> bool:
    wanted = truth(value or "true")
    if wanted is None:
        raise InvalidArgument(f"invalid filter {name}={value}: it is true or false")
    return wanted
