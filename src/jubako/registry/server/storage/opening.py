"""Which driver a configuration asks for."""

from __future__ import annotations

from jubako.registry.server.config.schema import Storage
from jubako.registry.server.storage.disk import Disk
from jubako.registry.server.storage.driver import Driver
from jubako.store import Store


def open_driver(settings: Storage, store: Store) -> Driver:
    if settings.s3 is None:
        return Disk(store)
    from jubako.registry.server.storage.objects import Objects

    return Objects(settings.s3)
