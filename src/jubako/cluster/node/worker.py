"""One pod: look at it, decide, do, tell, and again when something has happened.

Model:        a task for each pod that is bound to this node. It ends when the pod is gone; stopped, it leaves
              everything as it is for the next one.
Concurrency:  one task; what blocks is in a thread, one call at a time for each pod.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Literal, Protocol, TypeVar, assert_never

from jubako.cluster.controllers.actions import Delete, EmitEvent
from jubako.cluster.controllers.client import ClusterClient
from jubako.cluster.controllers.kinds import POD, key_of
from jubako.cluster.node import decide
from jubako.cluster.node.decide import Kill, Look, MakeSandbox, Remove, Situation, Start, Step, Stop
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.environment import Missing
from jubako.cluster.node.images import Images
from jubako.cluster.node.making import Making
from jubako.cluster.node.probing import Probing
from jubako.cluster.node.seen import Seen, Waiting
from jubako.cluster.node.status import status
from jubako.cluster.node.volumes.references import POD as OWN
from jubako.cluster.node.volumes.references import TOKEN, Source, references
from jubako.cluster.types import times
from jubako.cluster.types.document import Object, at, integer, mapping, text
from jubako.errors import Conflict, JubakoError, NotFound

T = TypeVar("T")
_AGAIN_S, _MOUNT_AGAIN_S, _LONGEST_S = 1.0, 5.0, 60.0
_TOLD_IN_FILES = ("labels", "annotations")
_UNCONFIGURED = "CreateContainerConfigError"
_PROBED = ("startupProbe", "livenessProbe", "readinessProbe")


class Host(Protocol):
    """What a worker needs of its node."""

    @property
    def address(self) -> str: ...

    async def blocking(self, call: Callable[[], T]) -> T:
        """Make a call in a thread."""

    async def tell(self, event: EmitEvent) -> None: ...

    async def execute(self, attempt: str, words: list[str], timeout_s: float) -> tuple[int, str]: ...


class Worker:
    def __init__(self, pod: Object, client: ClusterClient, engine: NodeEngine, making: Making, host: Host) -> None:
        self.pod = pod
        self._client, self._engine, self._making, self._host = client, engine, making, host
        self._images = Images(engine, host.blocking, self._say)
        self._waiting: dict[str, Waiting] = {}
        self._probes: dict[str, Probing] = {}
        self._woken = asyncio.Event()
        self._changed: set[Source] | None = None  # nobody knows what has changed since it was made
        self._due = 0.0
        self._made_of = references(pod)
        self.gone = False

    def wake(self, pod: Object | None = None) -> None:
        """Something has happened to the pod, which is now this one."""
        if pod is not None:
            if any(at(pod, "metadata", part) != at(self.pod, "metadata", part) for part in _TOLD_IN_FILES):
                self._note_changed(OWN)
            self.pod = pod
        self._woken.set()

    def is_made_of(self, source: Source, namespace: str) -> bool:
        return namespace == at(self.pod, "metadata", "namespace") and source in self._made_of

    def source_changed(self, source: Source | None, *, renew: bool) -> None:
        """A ConfigMap or Secret that the pod is made of is another one, or there at last; None: any may be."""
        if source is None:
            self._changed = None
        elif renew:
            self._note_changed(source)
        for name in [name for name, held in self._waiting.items() if held.reason == _UNCONFIGURED]:
            del self._waiting[name]
        self._woken.set()

    def _note_changed(self, source: Source) -> None:
        if self._changed is not None:
            self._changed.add(source)

    async def run(self) -> None:
        """Work until the pod is gone."""
        try:
            while not self.gone:
                self._woken.clear()
                wait_s = await self._turn()
                if not self.gone:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._woken.wait()
        finally:
            for probing in self._probes.values():
                probing.stop()

    async def _turn(self) -> float:
        """Do what is to be done now; returns when to look again at the latest."""
        try:
            seen = await self._host.blocking(partial(self._engine.look, self.pod))
            self._watch_health(seen)
            await self._renew(seen)
            situation = self._situation(seen)
            wait_s = min(_LONGEST_S, max(self._due - time.time(), 0.0)) if seen.ready else _LONGEST_S
            for step in decide.steps(situation):
                wait_s = min(wait_s, await self._do(step, situation))
            if not self.gone:
                await self._tell_status()
            return min(wait_s, self._until_deadline())
        except JubakoError as error:
            await self._say("Warning", "FailedSync", error.message)
            return _AGAIN_S

    @property
    def _uid(self) -> str:
        return text(at(self.pod, "metadata", "uid"))

    def _situation(self, seen: Seen) -> Situation:
        health = {name: probing.health for name, probing in self._probes.items()}
        return Situation(
            pod=self.pod, seen=seen, health=health, waiting=self._waiting, now=time.time(), deadline=self._deadline()
        )

    def _deadline(self) -> float:
        allowed = integer(at(self.pod, "spec", "activeDeadlineSeconds"))
        begun = text(at(self.pod, "status", "startTime"))
        return times.parse(begun).timestamp() + allowed if allowed and begun else 0.0

    def _until_deadline(self) -> float:
        deadline = self._deadline()
        return max(deadline - time.time(), 0.1) if deadline else _LONGEST_S

    async def _do(self, step: Step, situation: Situation) -> float:
        """Do one step; returns in how many seconds to look again."""
        match step:
            case MakeSandbox():
                return await self._make(situation)
            case Start(container):
                return await self._start(container, situation)
            case Kill(container, attempt, why, grace_s):
                message = f"Container {container} failed {why} probe, will be restarted"
                await self._say("Normal", "Killing", message)
                await self._host.blocking(partial(self._engine.kill, attempt, grace_s))
                return 0.0
            case Stop(grace_s):
                for name, attempts in situation.seen.attempts.items():
                    if attempts[0].running:
                        await self._say("Normal", "Killing", f"Stopping container {name}")
                await self._host.blocking(partial(self._engine.stop, situation.seen.sandbox, grace_s))
                return 0.0
            case Remove():
                await self._remove(situation.seen.sandbox)
                return 0.0
            case Look(after_s):
                await self._say_back_off(situation)
                return after_s
            case _:
                assert_never(step)

    async def _renew(self, seen: Seen) -> None:
        """Bring the volumes up to date when what they are made of is another, or a token's time has come."""
        if time.time() >= self._due:
            self._note_changed(TOKEN)
        if not seen.ready or self._changed == set():
            return
        changed, self._changed, self._due = self._changed, set(), time.time() + _LONGEST_S
        try:
            left_s = await self._host.blocking(partial(self._making.renew, self.pod, seen.address, changed))
            self._due = time.time() + left_s
        except Missing as missing:
            await self._say("Warning", "FailedMount", str(missing))

    async def _make(self, situation: Situation) -> float:
        self._changed = set()
        try:
            left_s = await self._host.blocking(partial(self._making.sandbox, self.pod, situation.seen.sandbox))
            self._due = time.time() + left_s
        except Missing as missing:
            await self._say("Warning", "FailedMount", str(missing))
            return _MOUNT_AGAIN_S
        except JubakoError as error:
            await self._say("Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {error.message}")
            return _AGAIN_S
        return 0.0

    async def _start(self, name: str, situation: Situation) -> float:
        container = next(
            each for each in (*decide.initial(self.pod), *decide.main(self.pod)) if decide.name_of(each) == name
        )
        if held := await self._images.have(container, self._waiting.get(name)):
            self._waiting[name] = held
            return max(held.until - time.time(), 0.0)
        try:
            await self._host.blocking(partial(self._making.container, self.pod, container, situation.seen))
        except Missing as missing:
            self._waiting[name] = Waiting(_UNCONFIGURED, str(missing), time.time() + _MOUNT_AGAIN_S)
            await self._say("Warning", "Failed", f"Error: {missing}")
            return _MOUNT_AGAIN_S
        except JubakoError as error:
            self._waiting.pop(name, None)
            await self._say("Warning", "Failed", f"Error: {error.message}")
            return 0.0
        self._waiting.pop(name, None)
        await self._say("Normal", "Created", f"Created container: {name}")
        await self._say("Normal", "Started", f"Started container {name}")
        return 0.0

    async def _remove(self, sandbox: str) -> None:
        """Give everything back, and say that the pod is gone."""
        if sandbox:
            await self._host.blocking(partial(self._engine.remove, sandbox))
        await self._host.blocking(partial(self._making.clear, self._uid))
        await self._tell_status()
        with suppress(NotFound, Conflict):
            await self._client.delete(Delete(POD, key_of(self.pod), self._uid, grace_s=0))
        self.gone = True

    async def _tell_status(self) -> None:
        seen = await self._host.blocking(partial(self._engine.look, self.pod))
        self._watch_health(seen)
        found = status(self._situation(seen), host=self._host.address)
        if found == self.pod.get("status"):
            return
        try:
            self.pod = await self._client.update({**self.pod, "status": found}, "status")
        except NotFound:
            self.gone = self.gone or not seen.sandbox
        except Conflict:
            with suppress(NotFound):
                self.wake(await self._client.get(POD, key_of(self.pod)))

    def _watch_health(self, seen: Seen) -> None:
        """Probe what runs, and nothing else."""
        for container in (*decide.initial(self.pod), *decide.main(self.pod)):
            name = decide.name_of(container)
            last = seen.last(name)
            known = self._probes.get(name)
            if known is not None and (last is None or not last.running or known.health.attempt != last.id):
                known.stop()
                del self._probes[name]
                known = None
            if known is None and last is not None and last.running and any(container.get(kind) for kind in _PROBED):
                tell = partial(self._tell_probe, name)
                self._probes[name] = Probing(
                    last.id, container, seen.address or "127.0.0.1", self._host.execute, tell, self._woken.set
                )

    def _tell_probe(self, container: str, kind: str, message: str) -> None:
        said = f"{kind.capitalize()} probe failed: {message}"
        self._background(self._say("Warning", "Unhealthy", said))

    def _background(self, saying: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(saying)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _say_back_off(self, situation: Situation) -> None:
        metadata = mapping(self.pod["metadata"])
        for container in decide.main(self.pod):
            name = decide.name_of(container)
            last = situation.seen.last(name)
            if last is not None and last.ended and name not in self._waiting:
                where = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
                message = f"Back-off restarting failed container {name} in pod {where}"
                await self._say("Warning", "BackOff", message)

    async def _say(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        await self._host.tell(EmitEvent(self.pod, reason, message, kind))
