"""Layers that are known before they are here: what the steps of a build ask for when they need one.

Model:      a step from a cache may give a layer by its diff_id alone, which is enough for the keys of the steps above.
            A blob is fetched when something looks into the layer, and is believed once it unpacked to its diff_id.
Failure:    LayerUnavailable says which layers can not be had; the build goes on without what knew them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from jubako.build.graph.filesystem import Layer
from jubako.errors import Unavailable


class LayerUnavailable(Unavailable):
    """`layers` were promised and can not be had."""

    def __init__(self, layers: Sequence[Layer], problem: str = "") -> None:
        names = ", ".join(layer.diff_id for layer in layers)
        super().__init__(f"{names}: {problem or 'not in the cache'}")
        self.layers = list(layers)
        self.problem = problem


class Supply(Protocol):
    """Where layers come from that are not here. Any thread may call."""

    def doubts(self, layer: Layer) -> bool:
        """Whether nobody has seen yet that the blob is what its diff_id says."""

    def stop(self) -> None:
        """Break off what is being fetched."""

    def lent(self, layer: Layer) -> AbstractContextManager[None]:
        """Have the blob in the store for the body, which unpacks or checks it. Raises LayerUnavailable, also for what
        the body finds wrong with it."""


class Nothing:
    """The supply of a build that imports no cache."""

    def doubts(self, layer: Layer) -> bool:
        return False

    def stop(self) -> None:
        pass

    def lent(self, layer: Layer) -> AbstractContextManager[None]:
        return nullcontext()
