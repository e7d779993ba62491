"""The object store: keys with values and revisions, watched.

DurableStore(directory)     in SQLite, for a cluster
MemoryStore()               with the same behaviour, for tests
AsyncStore(core)            either of them for asyncio
"""

from jubako.cluster.store.core import Options
from jubako.cluster.store.durable import DurableStore
from jubako.cluster.store.edge import AsyncStore, Watch
from jubako.cluster.store.history import Retention
from jubako.cluster.store.memory import MemoryStore
from jubako.cluster.store.model import (
    Create,
    Delete,
    Event,
    EventKind,
    FutureRevision,
    Gone,
    Item,
    Page,
    StaleRevision,
    Stopped,
    Update,
    Write,
)
from jubako.cluster.store.seam import ObjectStore, Subscription

__all__ = [
    "AsyncStore",
    "Create",
    "Delete",
    "DurableStore",
    "Event",
    "EventKind",
    "FutureRevision",
    "Gone",
    "Item",
    "MemoryStore",
    "ObjectStore",
    "Options",
    "Page",
    "Retention",
    "StaleRevision",
    "Stopped",
    "Subscription",
    "Update",
    "Watch",
    "Write",
]
