"""One pod: look at it, decide, do, tell, and again when something has happened.

Model:        a task for each pod that is bound to this node. It ends when the pod is gone; stopped, it leaves
              everything as it is for the next one.
Concurrency:  one task, with tasks of its own for probes and for containers that are ending; what blocks is in a thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar, assert_never

from jubako.cluster.controllers.actions import Delete, EmitEvent
from jubako.cluster.controllers.client import ClusterClient
from jubako.cluster.controllers.kinds import POD, key_of
from jubako.cluster.controllers.observed import revision
from jubako.cluster.node import decide
from jubako.cluster.node.announcing import Announcing
from jubako.cluster.node.deadlines import LONGEST_S, deadline_of, until_deadline, until_shown
from jubako.cluster.node.decide import Kill, Look, MakeSandbox, Reject, Remove, Situation, Start, Step, Stop, TakeDown
from jubako.cluster.node.ending import Ending
from jubako.cluster.node.engine import NodeEngine
from jubako.cluster.node.healths import Healths
from jubako.cluster.node.hooks import hook_of
from jubako.cluster.node.host import Host
from jubako.cluster.node.images import Images
from jubako.cluster.node.making import Making
from jubako.cluster.node.probes.checks import Checks
from jubako.cluster.node.refusing import host_has_apparmor, refusal
from jubako.cluster.node.sandboxing import Sandboxing
from jubako.cluster.node.seen import Seen, Waiting
from jubako.cluster.node.starting import UNCONFIGURED, Starting, Unready
from jubako.cluster.node.status import full_name, status
from jubako.cluster.node.volumes.references import Source
from jubako.cluster.node.volumes.renewal import Renewal
from jubako.cluster.types.document import Object, at, text
from jubako.errors import Conflict, JubakoError, NotFound

if TYPE_CHECKING:
    from jubako.registry.client import Credentials

T = TypeVar("T")
_AGAIN_S = 1.0
_log = logging.getLogger(__name__)
_TOLD_IN_FILES = ("labels", "annotations")


class Worker:
    def __init__(self, pod: Object, client: ClusterClient, engine: NodeEngine, making: Making, host: Host) -> None:
        self.pod = pod
        self._client, self._engine, self._making, self._host = client, engine, making, host
        self._waiting: dict[str, Waiting] = {}
        self._address = ""
        self._woken = asyncio.Event()
        self._healths = Healths(host.execute, partial(self.say, "Warning"), self._woken.set)
        self._starting = Starting(making, Images(engine, self, self._secrets), self, full_name(pod))
        self._ending = Ending(engine, self, full_name(pod))
        self._announcing = Announcing(self, full_name(pod))
        self._renewal = Renewal(pod)
        self._sandboxing = Sandboxing(making, self, self._renewal)
        self._refusal = refusal(pod, has_apparmor=host_has_apparmor())
        self.gone = False

    def wake(self, pod: Object | None = None) -> None:
        """Something has happened: there is a new version of the pod, or another thing."""
        if pod is None or self._take(pod):
            self._woken.set()

    def _take(self, pod: Object) -> bool:
        """Have the newest version of the pod; tells whether this is one: what a watch brings may be long known, and a
        name may lead to another pod by now."""
        if revision(pod) <= revision(self.pod) or at(pod, "metadata", "uid") != self._uid:
            return False
        if any(at(pod, "metadata", part) != at(self.pod, "metadata", part) for part in _TOLD_IN_FILES):
            self._renewal.note_pod()
        for name in _other_images(self.pod, pod):
            self._waiting.pop(name, None)
        self.pod = pod
        return True

    def is_made_of(self, source: Source, namespace: str) -> bool:
        return namespace == at(self.pod, "metadata", "namespace") and self._renewal.is_made_of(source)

    def source_changed(self, source: Source | None, *, renew: bool) -> None:
        """A ConfigMap or Secret that the pod is made of is another one, or there at last; None: any may be."""
        if renew or source is None:
            self._renewal.note(source)
        for name in [name for name, held in self._waiting.items() if held.reason == UNCONFIGURED]:
            del self._waiting[name]
        self._woken.set()

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
            self._healths.stop()
            self._ending.cancel()

    async def _turn(self) -> float:
        """Do what is to be done now; returns when to look again at the latest. What there is to tell is told at first,
        before the sandbox and with it the address goes, and when nothing is to be done at once."""
        try:
            seen = await self._look()
            await self._sandboxing.renew(self.pod, seen)
            situation = self._situation(seen)
            steps = decide.steps(situation)
            if not at(self.pod, "status", "startTime") or TakeDown() in steps:
                await self._tell_status(situation)
            wait_s = min(LONGEST_S, self._renewal.left_s()) if seen.ready else LONGEST_S
            for step in steps:
                wait_s = min(wait_s, await self._do(step, situation))
            if wait_s > 0 and not self.gone:
                await self._tell_status(self._situation(await self._look()) if steps else situation)
            now = time.time()
            return min(wait_s, until_deadline(self.pod, now), until_shown(self._waiting, now))
        except JubakoError as error:
            return self._failed(error.message)
        except OSError as error:
            return self._failed(str(error))
        except Exception:
            # A fault of ours. Nobody else looks after this pod, so it is looked at again.
            _log.exception("pod %s", full_name(self.pod))
            return self._failed("internal error: see the log of the control plane")

    def _failed(self, why: str) -> float:
        self.say("Warning", "FailedSync", why)
        return _AGAIN_S

    async def _look(self) -> Seen:
        seen = await self.blocking(partial(self._engine.look, self.pod))
        self._address = seen.address or self._host.address
        self._ending.note(seen)
        self._healths.watch(self.pod, seen, self._address)
        return seen

    @property
    def _uid(self) -> str:
        return text(at(self.pod, "metadata", "uid"))

    def _situation(self, seen: Seen) -> Situation:
        return Situation(
            pod=self.pod,
            seen=seen,
            health=self._healths.known(),
            waiting=self._waiting,
            now=time.time(),
            deadline=deadline_of(self.pod),
            refusal=self._refusal,
        )

    async def _do(self, step: Step, situation: Situation) -> float:
        """Do one step; returns in how many seconds to look again."""
        match step:
            case MakeSandbox():
                return await self._sandboxing.make(self.pod, situation.seen.sandbox)
            case Start(container):
                return await self._start(container, situation)
            case Kill(name, _, why, grace_s):
                message = f"Container {name} {why}, will be restarted"
                last = situation.seen.last(name)
                assert last is not None
                await self._ending.stop(decide.container_of(self.pod, name), last, grace_s, message)
            case Stop(grace_s):
                self._announcing.deadline(situation)
                await self._ending.stop_all(self.pod, situation.seen, grace_s)
            case Reject(reason, message):
                self.say("Warning", reason, message)
            case TakeDown():
                await self.blocking(partial(self._engine.take_down, situation.seen.sandbox))
            case Remove():
                await self._remove(situation.seen.sandbox)
            case Look(after_s):
                self._announcing.back_off(situation)
                return after_s
            case _:
                assert_never(step)
        return LONGEST_S

    async def _start(self, name: str, situation: Situation) -> float:
        container = decide.container_of(self.pod, name)
        try:
            attempt = await self._starting.start(self.pod, container, situation.seen)
        except Unready as unready:
            self._note_waiting(name, unready.waiting)
            return max(unready.waiting.until - time.time(), 0.0)
        self._note_waiting(name, None)
        if handler := hook_of(container, "postStart"):
            await self._hook(name, attempt, handler)
        return 0.0

    async def _hook(self, name: str, attempt: str, handler: Object) -> None:
        container = decide.container_of(self.pod, name)
        failed = await self._starting.hook(self.checks(container, attempt), handler, self._deleted)
        if failed is None:
            return
        self._note_waiting(name, failed)
        last = (await self._look()).last(name)
        if last is not None and last.running:
            await self._ending.stop(container, last, decide.grace_of(self.pod), "FailedPostStartHook")

    async def _deleted(self) -> None:
        """Wait until the pod is being deleted."""
        while not at(self.pod, "metadata", "deletionTimestamp"):
            self._woken.clear()
            await self._woken.wait()

    async def withdrawn(self) -> None:
        on_host = at(self.pod, "spec", "hostNetwork") is True
        if at(self.pod, "metadata", "deletionTimestamp") and not on_host:
            await self._host.withdrawn(self._address)

    def _note_waiting(self, name: str, waiting: Waiting | None) -> None:
        self._waiting.pop(name, None)
        if waiting is not None:
            self._waiting[name] = waiting

    async def _remove(self, sandbox: str) -> None:
        """Give everything back, and say that the pod is gone."""
        if sandbox:
            await self.blocking(partial(self._engine.remove, sandbox))
        await self.blocking(partial(self._making.clear, self._uid))
        await self._tell_status(self._situation(await self._look()))
        with suppress(NotFound, Conflict):
            await self._client.delete(Delete(POD, key_of(self.pod), self._uid, grace_s=0))
        self.gone = True

    async def _tell_status(self, situation: Situation) -> None:
        found = status(situation, host=self._host.address)
        if found == self.pod.get("status"):
            return
        try:
            self._take(await self._client.update({**self.pod, "status": found}, "status"))
        except NotFound:
            self.gone = self.gone or not situation.seen.sandbox
        except Conflict:
            with suppress(NotFound):
                self.wake(await self._client.get(POD, key_of(self.pod)))

    def _secrets(self, image: str) -> tuple[list[Credentials], list[str]]:
        return self._making.credentials(self.pod, image)

    def checks(self, container: Object, attempt: str) -> Checks:
        return Checks(attempt=attempt, container=container, address=self._address, execute=self._host.execute)

    async def blocking(self, call: Callable[[], T]) -> T:
        return await self._host.blocking(call)

    def say(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        self._host.tell(EmitEvent(self.pod, reason, message, kind))


def _other_images(old: Object, new: Object) -> list[str]:
    """The containers that have another image by now."""
    before = {decide.name_of(each): each.get("image") for each in decide.every(old)}
    return [name for each in decide.every(new) if before.get(name := decide.name_of(each)) != each.get("image")]
