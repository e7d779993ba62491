"""Where everything that lasts is kept: content by digest, records by key, and leases that protect them in use.

Layout:  ROOT/jubako.db  blobs/<algorithm>/<hex>  recipes/<algorithm>/<hex>  ingest/<id>/  partial/<blob>  leases/<id>
         ROOT is 0700: it alone keeps other users from the set-uid programs in layers (CVE-2021-41091).
"""

from jubako.store.blobs import BlobStore, LocalBlobStore
from jubako.store.collect import Freed, sweep
from jubako.store.leases import Lease, Leases
from jubako.store.partial import Partial
from jubako.store.pins import Pins
from jubako.store.recipes import Recipe
from jubako.store.records import Collection, Records
from jubako.store.store import Store
from jubako.store.writer import BlobInfo, BlobWriter

__all__ = [
    "BlobInfo",
    "BlobStore",
    "BlobWriter",
    "Collection",
    "Freed",
    "Lease",
    "Leases",
    "LocalBlobStore",
    "Partial",
    "Pins",
    "Recipe",
    "Records",
    "Store",
    "sweep",
]
