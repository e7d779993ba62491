"""A registry: the OCI distribution API over a state directory, and blobs on local disk or in an object store."""

from jubako.registry.server.config import Configuration, configured, load
from jubako.registry.server.server import serve

__all__ = ["Configuration", "configured", "load", "serve"]
