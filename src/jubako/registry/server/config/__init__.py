"""How a registry was asked to serve: the schema of its configuration, and the file that holds it."""

from jubako.registry.server.config.load import load, reload
from jubako.registry.server.config.schema import Configuration
from jubako.registry.server.config.short import configured

__all__ = ["Configuration", "configured", "load", "reload"]
