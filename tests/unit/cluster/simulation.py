"""An API server in memory, a node, and a manager of controllers on a virtual clock, moved one step at a time.

What a watch brings is held back until `deliver` is called, so a test decides how old the controllers' view is.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from jubako.cluster.controllers.actions import Bind, Delete, Patch, Update, UpdateStatus
from jubako.cluster.controllers.client import Change, Listing, Removal
from jubako.cluster.controllers.controller import Controller
from jubako.cluster.controllers.kinds import EVENT, POD, Key, Kind, key_of, kind_of
from jubako.cluster.controllers.manager import Manager
from jubako.cluster.controllers.performing import Performer
from jubako.cluster.controllers.telling import Teller
from jubako.cluster.objects import stamp
from jubako.errors import AlreadyExists, Conflict, JubakoError, NotFound

T = TypeVar("T")
START = 1_700_000_000.0
_NO_GENERATION = ("metadata", "status")
_CLUSTER_SCOPED = ("Namespace", "Node", "PersistentVolume", "StorageClass", "PriorityClass", "ClusterRole")
Any_ = dict[str, Any]


class VirtualClock:
    def __init__(self, now: float = START) -> None:
        self.time = now

    def now(self) -> float:
        return self.time


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waited")


class Api:
    """Fulfils ClusterClient. `refuse` may raise for a write before it is done, `lose` after it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.objects: dict[tuple[Kind, Key], Any_] = {}
        self.log: list[Change] = []
        self.revision = 100
        self.refuse: Callable[[str, Any_], JubakoError | None] = _undisturbed
        self.lose: Callable[[str, Any_], JubakoError | None] = _undisturbed
        self.changed: asyncio.Event | None = None
        self.count = 0
        self.compacted = 0

    # What the tests use directly.

    def all(self, kind: Kind, namespace: str | None = None) -> list[Any_]:
        found = [each for (of, _), each in self.objects.items() if of == kind]
        return [each for each in found if namespace in (None, each["metadata"].get("namespace"))]

    def find(self, kind: Kind, name: str, namespace: str = "default") -> Any_:
        return self.objects[kind, Key("" if kind.name in _CLUSTER_SCOPED else namespace, name)]

    def add(self, document: Any_) -> Any_:
        return self._as_user(self.create(document))

    def change(self, document: Any_, **status: Any) -> None:
        """Set fields of the status."""
        known = copy.deepcopy(self.objects[kind_of(document), key_of(document)])
        known.setdefault("status", {}).update(status)
        self._store("MODIFIED", known)

    def edit(self, kind: Kind, name: str, edit: Callable[[Any_], None], namespace: str = "default") -> Any_:
        """A user's edit of the spec or the metadata."""
        known = copy.deepcopy(self.find(kind, name, namespace))
        edit(known)
        return self._as_user(self.update(known))

    def _as_user(self, write: Coroutine[Any, Any, T]) -> T:
        """A user's write is neither refused nor lost."""
        disturbed, self.refuse, self.lose = (self.refuse, self.lose), _undisturbed, _undisturbed
        try:
            return finish(write)
        finally:
            self.refuse, self.lose = disturbed

    def remove(self, document: Any_, propagation: Any = None) -> None:
        metadata = document["metadata"]
        self._as_user(self.delete(Delete(kind_of(document), key_of(document), metadata["uid"], "", propagation)))

    def gone(self, document: Any_) -> None:
        """The node has ended a pod: it goes, as far as its finalizers let it."""
        known = copy.deepcopy(self.objects[kind_of(document), key_of(document)])
        known["metadata"]["deletionGracePeriodSeconds"] = 0
        self._settle(known)

    def events(self) -> list[tuple[str, str, str]]:
        return [(each["type"], each["reason"], each["message"]) for each in self.all(EVENT)]

    # ClusterClient.

    async def get(self, kind: Kind, key: Key) -> Any_:
        if (kind, key) not in self.objects:
            raise NotFound(kind.name, key.name)
        return self.objects[kind, key]

    async def list(self, kind: Kind) -> Listing:
        return Listing(self.all(kind), self.revision)

    async def watch(self, kind: Kind, since: int) -> AsyncIterator[Change]:
        from jubako.errors import FailedPrecondition

        seen = since
        while True:
            if seen < self.compacted:
                raise FailedPrecondition("too old resource version")
            for change in [each for each in self.log if each.revision > seen and kind_of(each.object) == kind]:
                yield change
            seen = max(seen, self.revision)
            assert self.changed is not None
            await self.changed.wait()

    async def create(self, document: Any_) -> Any_:
        made = copy.deepcopy(document)
        metadata = made["metadata"]
        self.count += 1
        if not metadata.get("name"):
            metadata["name"] = f"{metadata['generateName']}{self.count:05d}"
        if made["kind"] not in _CLUSTER_SCOPED:
            metadata.setdefault("namespace", "default")
        if (kind_of(made), key_of(made)) in self.objects:
            raise AlreadyExists(made["kind"], metadata["name"])
        self._may("create", made)
        metadata |= {"uid": f"uid-{self.count}", "creationTimestamp": stamp(self.clock.now()), "generation": 1}
        stored = self._store("ADDED", made)
        self._lost("create", stored)
        return stored

    async def update(self, document: Any_, subresource: str = "") -> Any_:
        known = await self.get(kind_of(document), key_of(document))
        self._must_be(known, "", document["metadata"].get("resourceVersion", ""))
        changed = copy.deepcopy(known if subresource else document)
        if subresource == "finalize":
            changed["spec"]["finalizers"] = copy.deepcopy(document["spec"]["finalizers"])
        elif subresource:
            changed["status"] = copy.deepcopy(document.get("status", {}))
        elif "status" in known:
            changed["status"] = copy.deepcopy(known["status"])
        if document["kind"] == "Namespace" and not subresource:
            changed["spec"]["finalizers"] = copy.deepcopy(known["spec"]["finalizers"])
        return self._write("update", known, changed)

    async def patch(self, patch: Patch) -> Any_:
        known = await self.get(patch.kind, patch.key)
        self._must_be(known, patch.uid, patch.version)
        return self._write("patch", known, merged(known, patch.merge))

    async def delete(self, delete: Delete) -> Removal:
        known = await self.get(delete.kind, delete.key)
        self._must_be(known, delete.uid, delete.version)
        self._may("delete", known)
        changed = copy.deepcopy(known)
        finalizer = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}.get(delete.propagation or "")
        if finalizer and finalizer not in changed["metadata"].get("finalizers", []):
            changed["metadata"].setdefault("finalizers", []).append(finalizer)
        running = kind_of(known) == POD and known["spec"].get("nodeName") and not _finished(known)
        if changed["metadata"].get("deletionTimestamp") is None:
            changed["metadata"]["deletionTimestamp"] = stamp(self.clock.now())
            changed["metadata"]["deletionGracePeriodSeconds"] = 30 if running and delete.grace_s != 0 else 0
            changed["metadata"]["generation"] = changed["metadata"].get("generation", 0) + 1
        elif delete.grace_s == 0:
            changed["metadata"]["deletionGracePeriodSeconds"] = 0
        settled = self._settle(changed)
        self._lost("delete", settled)
        return Removal(settled, self.revision, (delete.kind, delete.key) not in self.objects)

    async def bind(self, bind: Bind) -> Any_:
        known = await self.get(POD, bind.key)
        self._must_be(known, bind.uid, "")
        if known["spec"].get("nodeName"):
            raise Conflict(f"pod {bind.key.name} is already assigned to node")
        changed = copy.deepcopy(known)
        changed["spec"]["nodeName"] = bind.node
        return self._store("MODIFIED", changed)

    # Beneath.

    def _write(self, verb: str, known: Any_, changed: Any_) -> Any_:
        self._may(verb, changed)
        for field in ("uid", "creationTimestamp", "deletionTimestamp"):
            if field in known["metadata"]:
                changed["metadata"][field] = known["metadata"][field]
        before = {name: value for name, value in known.items() if name not in _NO_GENERATION}
        if before != {name: value for name, value in changed.items() if name not in _NO_GENERATION}:
            changed["metadata"]["generation"] = known["metadata"]["generation"] + 1
        if {
            **changed,
            "metadata": {**changed["metadata"], "resourceVersion": known["metadata"]["resourceVersion"]},
        } == known:
            return known
        settled = (
            self._settle(changed) if "deletionTimestamp" in changed["metadata"] else self._store("MODIFIED", changed)
        )
        self._lost(verb, settled)
        return settled

    def _settle(self, document: Any_) -> Any_:
        """An object that is being deleted goes when nothing holds it any more."""
        metadata = document["metadata"]
        held = document["kind"] == "Namespace" and document.get("spec", {}).get("finalizers")
        if metadata.get("finalizers") or held or metadata.get("deletionGracePeriodSeconds"):
            return self._store("MODIFIED", document)
        return self._store("DELETED", document)

    def _store(self, type_: Any, document: Any_) -> Any_:
        self.revision += 1
        document["metadata"]["resourceVersion"] = str(self.revision)
        found = kind_of(document), key_of(document)
        if type_ == "DELETED":
            self.objects.pop(found, None)
        else:
            self.objects[found] = document
        self.log.append(Change(type_, document, self.revision))
        if self.changed is not None:
            self.changed.set()
            self.changed = asyncio.Event()
        return document

    def _may(self, verb: str, document: Any_) -> None:
        if (error := self.refuse(verb, document)) is not None:
            raise error

    def _lost(self, verb: str, document: Any_) -> None:
        if (error := self.lose(verb, document)) is not None:
            raise error

    def _must_be(self, known: Any_, uid: str, version: str) -> None:
        metadata = known["metadata"]
        if (uid and metadata["uid"] != uid) or (version and metadata["resourceVersion"] != version):
            raise Conflict("the object has been modified")


def _undisturbed(verb: str, document: Any_) -> JubakoError | None:
    return None


def _finished(pod: Any_) -> bool:
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def merged(known: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = copy.deepcopy(known) if isinstance(known, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


class Simulation:
    """Controllers on an API. `deliver` brings the oldest undelivered changes of a kind, `work` does one key."""

    def __init__(self, controllers: Sequence[Controller]) -> None:
        self.clock = VirtualClock()
        self.api = Api(self.clock)
        self.controllers = controllers
        self.restart()

    def restart(self) -> None:
        """The controllers have crashed and come again: they know what a list says, and nothing else."""
        self.manager = Manager(self.controllers, self.clock)
        self.teller = Teller(self.api)
        self.performer = Performer(self.api, self.manager, self.teller)
        self.positions = {kind: len(self.api.log) for kind in self.manager.kinds()}
        for kind in self.manager.kinds():
            self.manager.replace(kind, self.api.all(kind), self.api.revision)

    def undelivered(self, kind: Kind) -> int:
        position = self.positions[kind]
        return sum(kind_of(change.object) == kind for change in self.api.log[position:])

    def deliver(self, kind: Kind, count: int = 1 << 30) -> None:
        position = self.positions[kind]
        while count and position < len(self.api.log):
            change = self.api.log[position]
            position += 1
            if kind_of(change.object) != kind:
                continue
            count -= 1
            if change.type == "DELETED":
                self.manager.remove(change.object, change.revision)
            else:
                self.manager.put(change.object)
            self.manager.cache.reached(kind, change.revision)
        self.positions[kind] = position

    def deliver_all(self) -> None:
        for kind in self.positions:
            self.deliver(kind)

    def work(self, place: int = 0) -> bool:
        """Look at the next key, if one is due. Objects are the cache's own: no controller may have changed them."""
        before = (
            json.dumps([list(self.manager.cache.all(kind)) for kind in self.manager.cache.kinds()]) if _CAREFUL else ""
        )
        work = self.manager.take(place)
        if work is None:
            return False
        if _CAREFUL:
            assert before == json.dumps([list(self.manager.cache.all(kind)) for kind in self.manager.cache.kinds()])
        exact = [each for each in work.actions if isinstance(each, Update | UpdateStatus | Patch)]
        written = [_written(each) for each in exact]
        assert len(set(written)) == len(written), f"{work.controller.name} writes one version twice: {written}"
        finish(self.performer.work(work))
        finish(self.teller.tell())
        return True

    def settle(self, rounds: int = 500) -> None:
        """Until nothing is to do now; waits are not waited for."""
        for _ in range(rounds):
            self.deliver_all()
            if not self.work() and not any(self.undelivered(kind) for kind in self.positions):
                return
        raise AssertionError(f"it does not come to rest: {self.manager.queue.ready()}")

    def advance(self, seconds: float) -> None:
        """Let time pass, and do what is due on the way."""
        self.settle()
        end = self.clock.time + seconds
        while (due := self.manager.queue.next_due()) is not None and due <= end:
            self.clock.time = max(due, self.clock.time)
            self.settle()
        self.clock.time = end
        self.settle()


_CAREFUL = True


def _written(action: Update | UpdateStatus | Patch) -> tuple[Kind, Key]:
    if isinstance(action, Patch):
        return action.kind, action.key
    return kind_of(action.object), key_of(action.object)


def run_pod(api: Api, pod: Any_, *, ready: bool = True, node: str = "node-1") -> None:
    """The node starts a pod."""
    if not pod["spec"].get("nodeName"):
        pod = finish(api.bind(Bind(key_of(pod), pod["metadata"]["uid"], node)))
    number = api.revision % 250 + 1
    api.change(
        pod,
        phase="Running",
        podIP=f"10.0.0.{number}",
        podIPs=[{"ip": f"10.0.0.{number}"}],
        conditions=_ready(api, pod, ready),
    )


def set_ready(api: Api, pod: Any_, ready: bool) -> None:
    api.change(pod, conditions=_ready(api, pod, ready))


def _ready(api: Api, pod: Any_, ready: bool) -> list[Any_]:
    status = "True" if ready else "False"
    known = next((each for each in pod.get("status", {}).get("conditions", []) if each["type"] == "Ready"), None)
    since = known["lastTransitionTime"] if known and known["status"] == status else stamp(api.clock.now())
    return [{"type": "Ready", "status": status, "lastTransitionTime": since}]


def end_pod(api: Api, pod: Any_, phase: str, exit_code: int = 0) -> None:
    """The node says that a pod has finished."""
    state = {"terminated": {"exitCode": exit_code, "finishedAt": stamp(api.clock.now())}}
    conditions = [
        {"type": "Ready", "status": "False", "reason": "PodCompleted", "lastTransitionTime": stamp(api.clock.now())}
    ]
    api.change(pod, phase=phase, containerStatuses=[{"name": "main", "state": state}], conditions=conditions)


def is_ready(pod: Any_) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_active(pod: Any_) -> bool:
    return "deletionTimestamp" not in pod["metadata"] and not _finished(pod)


def template(image: str = "app:1", labels: dict[str, str] | None = None) -> Any_:
    return {
        "metadata": {"labels": labels or {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": image}], "restartPolicy": "Always"},
    }


def workload(kind: Kind, name: str = "web", replicas: int | None = 3, **spec: Any) -> Any_:
    wanted: Any_ = {"selector": {"matchLabels": {"app": "web"}}, "template": template(), **spec}
    if replicas is not None:
        wanted["replicas"] = replicas
    return {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
        "spec": wanted,
    }
