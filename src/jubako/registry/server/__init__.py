"""A registry: the OCI distribution API over a state directory on local disk."""

from jubako.registry.server.server import serve

__all__ = ["serve"]
