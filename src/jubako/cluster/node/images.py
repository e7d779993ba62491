"""The image of a container is there before it is started, as its pull policy says.

A name that can not be pulled though it shall be, but is here, is used as it is: what was just built runs at once.

Spec: "Images", Image pull policy, ImagePullBackOff.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Literal

from jubako.cluster.node.backoff import FIRST_S, LONGEST_S
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.seen import Waiting
from jubako.cluster.types.document import Object, text
from jubako.errors import JubakoError

_Say = Callable[[Literal["Normal", "Warning"], str, str], None]


class Images:
    """For the containers of one pod."""

    def __init__(self, engine: NodeEngine, blocking: Callable[..., Awaitable[Any]], say: _Say) -> None:
        self._engine, self._blocking, self._say = engine, blocking, say
        self._failures: dict[str, int] = {}

    async def have(self, container: Object, held: Waiting | None) -> Waiting | None:
        """Return None once the image is there, else why it is not, and until when to wait."""
        name, policy = text(container.get("image")), text(container.get("imagePullPolicy"))
        here = await self._blocking(partial(self._engine.has_image, name))
        if here and policy != "Always":
            self._say("Normal", "Pulled", f'Container image "{name}" already present on machine')
            return None
        if policy == "Never":
            self._say(
                "Warning", "ErrImageNeverPull", f'Container image "{name}" is not present with pull policy of Never'
            )
            message = f'Container image "{name}" is not present with pull policy of Never'
            return Waiting("ErrImageNeverPull", message, time.time() + FIRST_S)
        return await self._pull(name, here=here)

    async def _pull(self, name: str, *, here: bool) -> Waiting | None:
        self._say("Normal", "Pulling", f'Pulling image "{name}"')
        begun = time.monotonic()
        try:
            await self._blocking(partial(self._engine.pull, name))
        except JubakoError as error:
            if here:
                self._say("Normal", "Pulled", f'Container image "{name}" already present on machine')
                return None
            return self._failed(name, error.message)
        self._failures.pop(name, None)
        took = f"{time.monotonic() - begun:.3f}s"
        self._say("Normal", "Pulled", f'Successfully pulled image "{name}" in {took} ({took} including waiting)')
        return None

    def _failed(self, name: str, why: str) -> Waiting:
        failures = self._failures[name] = self._failures.get(name, 0) + 1
        self._say("Warning", "Failed", f'Failed to pull image "{name}": {why}')
        self._say("Warning", "Failed", "Error: ErrImagePull")
        wait_s = min(FIRST_S * 2.0 ** (failures - 1), LONGEST_S)
        if failures == 1:
            return Waiting("ErrImagePull", why, time.time() + wait_s)
        self._say("Normal", "BackOff", f'Back-off pulling image "{name}"')
        return Waiting("ImagePullBackOff", f'Back-off pulling image "{name}": {why}', time.time() + wait_s)
