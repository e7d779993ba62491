"""The image of a container, and those that it mounts, are there before it is started, as their pull policies say.

A name that can not be pulled though it shall be, but is here, is used as it is: what was just built runs at once.

Model:  a failed pull shows as ErrImagePull, and soon after that as ImagePullBackOff, until it is tried again.
Spec:   "Images", Image pull policy, ImagePullBackOff; k8s.io/kubernetes/pkg/kubelet/images/image_manager.go.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from jubako.cluster.node.backoff import FIRST_S, LONGEST_S
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.seen import Waiting
from jubako.cluster.types.document import Object, at, mapping, objects, text
from jubako.errors import InvalidArgument, JubakoError
from jubako.image import reference

if TYPE_CHECKING:
    from jubako.registry.client import Credentials

T = TypeVar("T")
_SHOWN_S = 2.0
Secrets = Callable[[str], "tuple[list[Credentials], list[str]]"]
"""Returns what the pod's secrets have for an image, and which of them are not there."""


class Voice(Protocol):
    async def blocking(self, call: Callable[[], T]) -> T: ...

    def say(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None: ...


class Images:
    """For the containers of one pod."""

    def __init__(self, engine: NodeEngine, voice: Voice, secrets: Secrets) -> None:
        self._engine, self._voice, self._secrets = engine, voice, secrets
        self._failures: dict[str, tuple[int, float, str]] = {}

    async def have(self, pod: Object, container: Object) -> Waiting | None:
        """Return None once all images of a container are there, else why one is not, and until when to wait."""
        mounted = {text(each.get("name")) for each in objects(container.get("volumeMounts"))}
        for volume in objects(at(pod, "spec", "volumes")):
            if "image" in volume and text(volume.get("name")) in mounted:
                image = mapping(volume["image"])
                if unready := await self._have(text(image.get("reference")), text(image.get("pullPolicy"))):
                    return unready
        return await self._have(text(container.get("image")), text(container.get("imagePullPolicy")))

    async def _have(self, name: str, policy: str) -> Waiting | None:
        try:
            reference.parse(name)
        except InvalidArgument as error:
            why = f'Failed to apply default image tag "{name}": couldn\'t parse image name "{name}": {error.message}'
            return self._refused("InspectFailed", "InvalidImageName", why)
        here = await self._voice.blocking(partial(self._engine.has_image, name))
        if here and policy != "Always":
            self._voice.say("Normal", "Pulled", f'Container image "{name}" already present on machine')
            return None
        if policy == "Never":
            why = f'Container image "{name}" is not present with pull policy of Never'
            return self._refused("ErrImageNeverPull", "ErrImageNeverPull", why)
        return self._backing_off(name) or await self._pull(name, here=here)

    def _refused(self, event: str, reason: str, why: str) -> Waiting:
        self._voice.say("Warning", event, why)
        self._voice.say("Warning", "Failed", f"Error: {reason}")
        return Waiting(reason, why, time.time() + FIRST_S)

    def _backing_off(self, name: str) -> Waiting | None:
        """Return what to wait for while the last failure is too young."""
        _, until, why = self._failures.get(name, (0, 0.0, ""))
        if until <= time.time():
            return None
        self._voice.say("Normal", "BackOff", f'Back-off pulling image "{name}"')
        self._voice.say("Warning", "Failed", "Error: ImagePullBackOff")
        return Waiting("ImagePullBackOff", f'Back-off pulling image "{name}": ErrImagePull: {why}', until)

    async def _pull(self, name: str, *, here: bool) -> Waiting | None:
        self._voice.say("Normal", "Pulling", f'Pulling image "{name}"')
        found, missing = await self._voice.blocking(partial(self._secrets, name))
        if missing:
            few = "attempting to pull the image may not succeed."
            why = f"Unable to retrieve some image pull secrets ({', '.join(missing)}); {few}"
            self._voice.say("Warning", "FailedToRetrieveImagePullSecret", why)
        begun = time.monotonic()
        failure = await self._try_each(name, [*found, None])
        if failure is None:
            self._failures.pop(name, None)
            took = f"{time.monotonic() - begun:.3f}s"
            told = f'Successfully pulled image "{name}" in {took} ({took} including waiting)'
            self._voice.say("Normal", "Pulled", told)
            return None
        if here:
            self._voice.say("Normal", "Pulled", f'Container image "{name}" already present on machine')
            return None
        return self._failed(name, failure)

    async def _try_each(self, name: str, credentials: list[Credentials | None]) -> str | None:
        """Pull with one after the other until that succeeds; returns what the first one met otherwise."""
        failure = None
        for each in credentials:
            try:
                await self._voice.blocking(partial(self._engine.pull, name, each))
            except JubakoError as error:
                failure = failure or error.message
            else:
                return None
        return failure

    def _failed(self, name: str, why: str) -> Waiting:
        failures = self._failures.get(name, (0, 0.0, ""))[0] + 1
        wait_s = min(FIRST_S * 2.0 ** min(failures - 1, 10), LONGEST_S)
        self._failures[name] = failures, time.time() + wait_s, why
        self._voice.say("Warning", "Failed", f'Failed to pull image "{name}": {why}')
        self._voice.say("Warning", "Failed", "Error: ErrImagePull")
        return Waiting("ErrImagePull", why, time.time() + _SHOWN_S)
