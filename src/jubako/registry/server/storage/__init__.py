"""Where the bytes of a registry's blobs are: on local disk, or in an object store."""

from jubako.registry.server.storage.driver import Driver, Stored
from jubako.registry.server.storage.opening import open_driver

__all__ = ["Driver", "Stored", "open_driver"]
