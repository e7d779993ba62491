"""A pod as the engine has it at one moment. Times are seconds since 1970, 0 for never."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One container of the engine that was, or is, a container of the pod. `number` counts from 0.

    `error` is why it could not start; `exec_ready` is False for one that is recorded and never was started.
    """

    id: str
    number: int
    wanted: str = ""
    """The image as the pod named it when this was made."""
    image: str = ""
    image_id: str = ""
    running: bool = False
    started: float = 0.0
    finished: float = 0.0
    exit_code: int = 0
    reason: str = ""
    error: str = ""
    message: str = ""

    @property
    def ended(self) -> bool:
        return bool(self.finished or self.error) and not self.running


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """`sandbox` is the engine's pod, "" where there is none; `ready` says that its namespaces and network are there.

    `attempts` has those of each container, the newest first.
    """

    sandbox: str = ""
    ready: bool = False
    address: str = ""
    attempts: Mapping[str, Sequence[Attempt]] = {}

    def of(self, container: str) -> Sequence[Attempt]:
        return self.attempts.get(container, ())

    def last(self, container: str) -> Attempt | None:
        found = self.of(container)
        return found[0] if found else None

    def is_running(self, container: str) -> bool:
        last = self.last(container)
        return last is not None and last.running


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What the probes of one attempt say; a container without a probe of a kind passes it."""

    attempt: str = ""
    started: bool = True
    ready: bool = True
    failed: str = ""
    """Which probe has failed for good: liveness or startup."""


class Waiting(msgspec.Struct, frozen=True):
    """Why a container could not be started, in Kubernetes' words: ErrImagePull, CreateContainerConfigError …"""

    reason: str
    message: str
    until: float = 0.0


class Refusal(msgspec.Struct, frozen=True):
    """Why a pod is not run on this node, in Kubernetes' words."""

    reason: str
    message: str
