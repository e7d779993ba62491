"""One attempt of a container is started: image, creation, start, and its postStart hook.

A container's start is over when its hook is: nothing else of the pod is begun until then. A pod that is deleted
meanwhile does not wait for it.

Spec: "Container Lifecycle Hooks"; k8s.io/kubernetes/pkg/kubelet/kuberuntime/kuberuntime_container.go.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from jubako.cluster.node import hooks
from jubako.cluster.node.decide import name_of
from jubako.cluster.node.ending import Speaker
from jubako.cluster.node.engine import Uncreated
from jubako.cluster.node.environment import Missing
from jubako.cluster.node.images import Images
from jubako.cluster.node.making import Making
from jubako.cluster.node.probes.checks import Checks
from jubako.cluster.node.probes.dialing import Failed
from jubako.cluster.node.seen import Seen, Waiting
from jubako.cluster.types.document import Object
from jubako.errors import JubakoError

UNCONFIGURED = "CreateContainerConfigError"
_AGAIN_S, _SHOWN_S = 5.0, 1.0


class Unready(Exception):
    """Why a container does not run."""

    def __init__(self, waiting: Waiting) -> None:
        super().__init__()
        self.waiting = waiting


class Starting:
    """Those of one pod; `full_name` is the pod's, for people."""

    def __init__(self, making: Making, images: Images, speaker: Speaker, full_name: str) -> None:
        self._making, self._images, self._speaker, self._full_name = making, images, speaker, full_name

    async def start(self, pod: Object, container: Object, seen: Seen) -> str:
        """Start the next attempt, and return its id. Raises Unready."""
        name = name_of(container)
        if unready := await self._images.have(pod, container):
            raise Unready(unready)
        try:
            attempt = await self._speaker.blocking(partial(self._making.container, pod, container, seen))
        except Missing as missing:
            self._speaker.say("Warning", "Failed", f"Error: {missing}")
            raise Unready(Waiting(UNCONFIGURED, str(missing), time.time() + _AGAIN_S)) from None
        except Uncreated as error:
            self._speaker.say("Warning", "Failed", f"Error: {error}")
            raise Unready(Waiting("CreateContainerError", str(error), time.time() + _AGAIN_S)) from None
        except JubakoError as error:
            self._speaker.say("Normal", "Created", f"Created container: {name}")
            self._speaker.say("Warning", "Failed", f"Error: {error.message}")
            raise Unready(Waiting("RunContainerError", error.message, time.time() + _SHOWN_S)) from None
        self._speaker.say("Normal", "Created", f"Created container: {name}")
        self._speaker.say("Normal", "Started", f"Started container {name}")
        return attempt

    async def hook(self, checks: Checks, handler: Object, deleted: Callable[[], Awaitable[None]]) -> Waiting | None:
        """Run the postStart hook; returns what is wrong if it failed."""
        doing = asyncio.ensure_future(hooks.run(checks, handler, self._full_name))
        ending = asyncio.ensure_future(deleted())
        try:
            await asyncio.wait((doing, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (doing, ending):
                task.cancel()
        try:
            with suppress(asyncio.CancelledError):
                await doing
        except Failed as failed:
            # What it said is told to who may read the pod, and not in an event: it may be a secret.
            self._speaker.say("Warning", "FailedPostStartHook", "PostStartHook failed")
            return Waiting("PostStartHookError", str(failed), time.time() + _SHOWN_S)
        return None
