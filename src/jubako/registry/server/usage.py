"""How many bytes each repository holds, kept up to date by whatever adds and takes records, within its transaction.

Each digest counts once in a repository, however many manifests name it; blobs that repositories share count in each.
"""

from __future__ import annotations

import msgspec

from jubako.registry.server.documents import Repository
from jubako.registry.server.refusal import Refused
from jubako.registry.server.state import State
from jubako.spec.distribution import Code


def used(state: State, name: str) -> int:
    """Return how many bytes repository `name` holds; counted where a registry from before did not keep it."""
    entry = state.read.repositories.find(name)
    return (_count(state, name) if entry.size is None else entry.size) if entry else 0


def charge(state: State, name: str, size: int) -> None:
    """Add `size` bytes to a repository, which is made now if there is none; Refused when its quota has no room."""
    entry = state.write.repositories.find(name)
    if entry is None:
        entry = Repository(state.clock(), 0)
        state.write.repositories.insert(name, entry)
    total = (_count(state, name) if entry.size is None else entry.size) + size
    quota = state.rules.quota(name)
    if size > 0 and quota is not None and total > quota:
        raise over_quota(name, quota)
    state.write.repositories.replace(name, msgspec.structs.replace(entry, size=total))


def refund(state: State, name: str, size: int) -> None:
    """Take `size` bytes off a repository, while the record of them is still there to be counted."""
    charge(state, name, -size)


def over_quota(name: str, quota: int) -> Refused:
    message = f"the quota of {name}, {quota} bytes, has no room for this"
    return Refused(Code.DENIED, message, detail={"name": name, "quota": quota})


def _count(state: State, name: str) -> int:
    blobs = sum(link.size for _, link in state.write.blobs.items(f"{name}@"))
    return blobs + sum(entry.size for _, entry in state.write.manifests.items(f"{name}@"))
