"""The world of network namespaces of the network's own tests."""

from __future__ import annotations

from tests.integration.network.conftest import networks, start, world

__all__ = ["networks", "start", "world"]
