"""A pod and what is seen of it -> the next steps, in order.

Model:  ephemeral containers are started once, whatever else there is. Init containers run one after the other, each
        to success; those that restart always (sidecars) are started and let go on. Then all containers run side by
        side. What ended is started again as the restart policy says.
Spec:   "Pod Lifecycle"; "Init Containers"; "Sidecar Containers"; k8s.io/kubernetes/pkg/kubelet/kuberuntime.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from jubako.cluster.node.backoff import wait_s
from jubako.cluster.node.seen import Attempt, Health, Refusal, Seen, Waiting
from jubako.cluster.types.document import Object, integer, mapping, objects, text

_GRACE_S = 30
LATE = Refusal("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class MakeSandbox(msgspec.Struct, frozen=True):
    """Volumes and the engine's pod."""


class Start(msgspec.Struct, frozen=True):
    container: str


class Kill(msgspec.Struct, frozen=True):
    """End an attempt that is no longer good, and `why`; what comes after it is decided when it has ended."""

    container: str
    attempt: str
    why: str
    grace_s: int


class Stop(msgspec.Struct, frozen=True):
    """End all containers of the pod."""

    grace_s: int


class Reject(msgspec.Struct, frozen=True):
    """The pod is none for this node; its status says so, and why."""

    reason: str
    message: str


class TakeDown(msgspec.Struct, frozen=True):
    """Give the sandbox back: the pod has ended, and its containers are kept for who asks how."""


class Remove(msgspec.Struct, frozen=True):
    """Give back everything: the pod was deleted, and has ended."""


class Look(msgspec.Struct, frozen=True):
    """Nothing to do until so many seconds have passed, or something happens."""

    after_s: float


Step: TypeAlias = "MakeSandbox | Start | Kill | Stop | Reject | TakeDown | Remove | Look"


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known: the pod's document, what the engine has, what probes say, what could not be started, the time,
    the deadline, 0 where there is none, and why the node does not run the pod."""

    pod: Object
    seen: Seen
    health: Mapping[str, Health] = {}
    waiting: Mapping[str, Waiting] = {}
    now: float = 0.0
    deadline: float = 0.0
    refusal: Refusal | None = None


def steps(of: Situation) -> list[Step]:
    """Return what to do now; nothing for a pod that is as it shall be."""
    metadata = mapping(of.pod.get("metadata"))
    if metadata.get("deletionTimestamp"):
        grace = integer(metadata.get("deletionGracePeriodSeconds"), _GRACE_S)
        return [Stop(grace)] if any_running(of) else [Remove()]
    if of.refusal is not None and not has_ended(of.pod):
        return [Reject(of.refusal.reason, of.refusal.message)]
    if is_over(of):
        return [Stop(grace_of(of.pod))] if any_running(of) else [TakeDown()] if of.seen.ready else []
    if is_late(of):
        return [Stop(grace_of(of.pod))]
    if not of.seen.ready:
        return [MakeSandbox()]
    return list(_containers(of))


def is_over(of: Situation) -> bool:
    """Whether a pod has Succeeded or Failed: no container will ever be started again."""
    if has_ended(of.pod) or of.refusal is not None:
        return True
    if failed_init(of) is not None:
        return True
    names = [name_of(each) for each in main(of.pod)]
    ended = [of.seen.last(name) for name in names]
    if not all(each is not None and each.ended for each in ended):
        return False
    policy = policy_of(of.pod)
    return policy == "Never" or (
        policy == "OnFailure" and all(each is not None and not each.exit_code and not each.error for each in ended)
    )


def has_ended(pod: Object) -> bool:
    """Whether its status says that it is over."""
    return text(mapping(pod.get("status")).get("phase")) in ("Succeeded", "Failed")


def is_late(of: Situation) -> bool:
    return bool(of.deadline) and of.now >= of.deadline


def failed_init(of: Situation) -> str | None:
    """Return the init container whose failure ends the pod."""
    if policy_of(of.pod) != "Never":
        return None
    for container in initial(of.pod):
        last = of.seen.last(name_of(container))
        if not is_sidecar(container) and last is not None and last.ended and (last.exit_code or last.error):
            return name_of(container)
    return None


def _containers(of: Situation) -> Iterator[Step]:
    for container in ephemeral(of.pod):
        if of.seen.last(name_of(container)) is None:
            yield from _start(of, container, always=False)
    for container in initial(of.pod):
        yield from _unfit(of, container, always=is_sidecar(container))
        if is_done(of, container):
            continue
        yield from _start(of, container, always=is_sidecar(container))
        if not is_up(of, container):
            return
    for container in main(of.pod):
        always = policy_of(of.pod) == "Always"
        yield from _unfit(of, container, always=always)
        yield from _start(of, container, always=always)


def _start(of: Situation, container: Object, *, always: bool) -> Iterator[Step]:
    """Start a container that does not run, once its wait is over."""
    name = name_of(container)
    last = of.seen.last(name)
    if last is not None and last.running:
        return
    if last is not None and last.ended and not always and not _again(of, container):
        return
    held = of.waiting.get(name)
    wait = max(wait_s(_of_this(of, container), of.now), (held.until - of.now) if held else 0.0)
    yield Look(wait) if wait > 0 else Start(name)


def _again(of: Situation, container: Object) -> bool:
    last = of.seen.last(name_of(container))
    failed = last is not None and bool(last.exit_code or last.error)
    return failed and policy_of(of.pod) in ("OnFailure", "Always")


def _unfit(of: Situation, container: Object, *, always: bool) -> Iterator[Step]:
    changed = list(_changed(of, container)) if always else []
    yield from changed or _unhealthy(of, container)


def _unhealthy(of: Situation, container: Object) -> Iterator[Step]:
    name = name_of(container)
    last, health = of.seen.last(name), of.health.get(name)
    if last is not None and last.running and health is not None and health.failed and health.attempt == last.id:
        own = mapping(container.get(f"{health.failed}Probe")).get("terminationGracePeriodSeconds")
        yield Kill(name, last.id, f"failed {health.failed} probe", integer(own, grace_of(of.pod)))


def _changed(of: Situation, container: Object) -> Iterator[Step]:
    """One that would come again is ended where the pod names another image by now."""
    last = of.seen.last(name_of(container))
    if last is not None and last.running and last not in _of_this(of, container):
        yield Kill(name_of(container), last.id, "definition changed", grace_of(of.pod))


def _of_this(of: Situation, container: Object) -> list[Attempt]:
    """The attempts with the image that the pod names: another has nothing to wait for."""
    image = text(container.get("image"))
    return [each for each in of.seen.of(name_of(container)) if each.wanted in ("", image)]


def is_done(of: Situation, container: Object) -> bool:
    """Whether an init container has done its work."""
    last = of.seen.last(name_of(container))
    return not is_sidecar(container) and last is not None and last.ended and not last.exit_code and not last.error


def is_up(of: Situation, container: Object) -> bool:
    """Whether a sidecar is far enough for what comes after it."""
    health = of.health.get(name_of(container), Health())
    return is_sidecar(container) and of.seen.is_running(name_of(container)) and health.started


def comes_again(of: Situation, container: Object) -> bool:
    """Whether a container that has ended will be started again."""
    if any(name_of(each) == name_of(container) for each in ephemeral(of.pod)):
        return False
    is_init = any(name_of(each) == name_of(container) for each in initial(of.pod))
    if is_over(of) or is_late(of) or (is_init and is_done(of, container)):
        return False
    if mapping(of.pod["metadata"]).get("deletionTimestamp"):
        return False
    always = is_sidecar(container) or (policy_of(of.pod) == "Always" and not is_init)
    return always or _again(of, container)


def any_running(of: Situation) -> bool:
    return any(each.running for attempts in of.seen.attempts.values() for each in attempts)


def grace_of(pod: Object) -> int:
    """One below zero counts as one second."""
    grace = integer(mapping(pod.get("spec")).get("terminationGracePeriodSeconds"), _GRACE_S)
    return grace if grace >= 0 else 1


def initial(pod: Object) -> list[Object]:
    return objects(mapping(pod.get("spec")).get("initContainers"))


def main(pod: Object) -> list[Object]:
    return objects(mapping(pod.get("spec")).get("containers"))


def ephemeral(pod: Object) -> list[Object]:
    """Return the containers that were put into a pod that runs."""
    return objects(mapping(pod.get("spec")).get("ephemeralContainers"))


def every(pod: Object) -> list[Object]:
    return [*initial(pod), *main(pod), *ephemeral(pod)]


def container_of(pod: Object, name: str) -> Object:
    return next(each for each in every(pod) if name_of(each) == name)


def is_sidecar(container: Object) -> bool:
    return container.get("restartPolicy") == "Always"


def policy_of(pod: Object) -> str:
    return text(mapping(pod.get("spec")).get("restartPolicy")) or "Always"


def name_of(container: Object) -> str:
    return text(container.get("name"))
