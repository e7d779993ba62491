"""A pod and what is seen of it -> the status that is told: phase, conditions, a state for each container.

Spec: "Pod Lifecycle"; core/v1 PodStatus; k8s.io/kubernetes/pkg/kubelet/status.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from jubako.cluster.node import decide
from jubako.cluster.node.backoff import delay_s
from jubako.cluster.node.decide import Situation, ephemeral, initial, is_sidecar, main, name_of
from jubako.cluster.node.seen import Attempt, Health, Waiting
from jubako.cluster.types import times
from jubako.cluster.types.document import JSON, Object, mapping, objects, text


def status(of: Situation, *, host: str) -> Object:
    """Return the whole status; `host` is the node's address."""
    before = mapping(of.pod.get("status"))
    phase, reason, message = _phase(of)
    found: Object = {**before, "phase": phase, "hostIP": host, "hostIPs": [{"ip": host}]}
    for name, value in (("reason", reason), ("message", message)):
        found.pop(name, None)
        if value:
            found[name] = value
    if address := of.seen.address or (host if of.seen.ready and _is_on_host(of.pod) else ""):
        found["podIP"], found["podIPs"] = address, [{"ip": address}]
    found.setdefault("startTime", _moment(of.now))
    if initial(of.pod):
        found["initContainerStatuses"] = [_container(of, each, is_init=True) for each in initial(of.pod)]
    found["containerStatuses"] = [_container(of, each, is_init=False) for each in main(of.pod)]
    if ephemeral(of.pod):
        found["ephemeralContainerStatuses"] = [_ephemeral(of, each) for each in ephemeral(of.pod)]
    found["conditions"] = _conditions(of, found, objects(before.get("conditions")))
    return found


def full_name(pod: Object) -> str:
    """Return how people are told of a pod: NAME_NAMESPACE(UID)."""
    name, namespace, uid = (text(mapping(pod["metadata"]).get(field)) for field in ("name", "namespace", "uid"))
    return f"{name}_{namespace}({uid})"


def _is_on_host(pod: Object) -> bool:
    return mapping(pod.get("spec")).get("hostNetwork") is True


def _phase(of: Situation) -> tuple[str, str, str]:
    known = mapping(of.pod.get("status"))
    if known.get("phase") in ("Succeeded", "Failed"):
        return text(known["phase"]), text(known.get("reason")), text(known.get("message"))
    if of.deadline and of.now >= of.deadline:
        return "Failed", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
    if decide.failed_init(of) is not None:
        return "Failed", "", ""
    if decide.is_over(of):
        lasts = [of.seen.last(name_of(each)) for each in main(of.pod)]
        failed = any(each is None or each.exit_code or each.error for each in lasts)
        return ("Failed" if failed else "Succeeded"), "", ""
    if not _is_initialized(of):
        return "Pending", "", ""
    lasts = [of.seen.last(name_of(each)) for each in main(of.pod)]
    return (
        ("Running" if all(each is not None and (each.started or each.error) for each in lasts) else "Pending"),
        "",
        "",
    )


def _is_initialized(of: Situation) -> bool:
    return all(decide.is_done(of, each) or decide.is_up(of, each) for each in initial(of.pod))


def _container(of: Situation, container: Object, *, is_init: bool) -> Object:
    name = name_of(container)
    attempts = of.seen.of(name)
    last = attempts[0] if attempts else None
    health = of.health.get(name, Health())
    running = last is not None and last.running
    done = is_init and not is_sidecar(container) and decide.is_done(of, container)
    found: Object = {
        "name": name,
        "state": _state(of, container, is_init=is_init),
        "lastState": _ended(attempts[1]) if running and len(attempts) > 1 else _previous(of, container),
        "ready": done or (running and health.started and health.ready and (not is_init or is_sidecar(container))),
        "restartCount": last.number if last else 0,
        "image": last.image if last and last.image else text(container.get("image")),
        "imageID": last.image_id if last else "",
        "started": running and health.started,
    }
    if last is not None:
        found["containerID"] = f"jubako://{last.id}"
    return found


def _ephemeral(of: Situation, container: Object) -> Object:
    """One that was put into a running pod is never ready for anything, and is not started again."""
    found = _container(of, container, is_init=False)
    return {**{name: held for name, held in found.items() if name != "started"}, "ready": False}


def _previous(of: Situation, container: Object) -> Object:
    """A container that waits to be started again shows how it ended as its last state."""
    last = of.seen.last(name_of(container))
    return _ended(last) if last is not None and last.ended and decide.comes_again(of, container) else {}


def _state(of: Situation, container: Object, *, is_init: bool) -> Object:
    name = name_of(container)
    attempts = of.seen.of(name)
    last = attempts[0] if attempts else None
    if last is not None and last.running:
        return {"running": {"startedAt": _moment(last.started)}}
    if last is not None and last.ended and not decide.comes_again(of, container):
        return _ended(last)
    held = of.waiting.get(name)
    if held is not None and (held.until >= of.now or last is None or not last.ended):
        return _waiting(held)
    if last is not None and last.ended and (delay := delay_s(attempts)) > 0:
        where = f"container={name} pod={full_name(of.pod)}"
        return _waiting(Waiting("CrashLoopBackOff", f"back-off {_span(delay)} restarting failed {where}"))
    if not is_init and not _is_initialized(of):
        return _waiting(Waiting("PodInitializing", ""))
    return _waiting(Waiting("ContainerCreating" if not initial(of.pod) else "PodInitializing", ""))


def _waiting(held: Waiting) -> Object:
    state: Object = {"reason": held.reason}
    if held.message:
        state["message"] = held.message
    return {"waiting": state}


def _ended(attempt: Attempt) -> Object:
    state: Object = {
        "exitCode": attempt.exit_code,
        "reason": attempt.reason or ("Error" if attempt.exit_code else "Completed"),
        "startedAt": _moment(attempt.started) if attempt.started else None,
        "finishedAt": _moment(attempt.finished) if attempt.finished else None,
        "containerID": f"jubako://{attempt.id}",
    }
    if attempt.message or attempt.error:
        state["message"] = attempt.message or attempt.error
    return {"terminated": state}


def _conditions(of: Situation, found: Object, before: Sequence[Object]) -> list[JSON]:
    ended = found["phase"] in ("Succeeded", "Failed")
    unready = [name for name, ready in _readiness(found) if not ready]
    why = (
        ("PodCompleted", "")
        if ended
        else ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    )
    uninitialized = [
        name_of(each) for each in initial(of.pod) if not (decide.is_done(of, each) or decide.is_up(of, each))
    ]
    initialized = ("ContainersNotInitialized", f"containers with incomplete status: [{' '.join(uninitialized)}]")
    wanted: list[tuple[str, bool, tuple[str, str]]] = [
        ("PodReadyToStartContainers", of.seen.ready, ("", "")),
        ("Initialized", not uninitialized, ("PodCompleted", "") if found["phase"] == "Succeeded" else initialized),
        ("Ready", not unready and not ended, why),
        ("ContainersReady", not unready and not ended, why),
    ]
    kept = {text(each.get("type")): each for each in before}
    made = [_condition(of, kept.pop(kind, {}), kind, holds, why) for kind, holds, why in wanted]
    return [*made, *kept.values()]


def _readiness(found: Object) -> list[tuple[str, bool]]:
    return [(text(each.get("name")), each.get("ready") is True) for each in objects(found["containerStatuses"])]


def _condition(of: Situation, before: Object, kind: str, holds: bool, why: tuple[str, str]) -> Object:
    value = "True" if holds else "False"
    changed = before.get("status") != value
    made: Object = {"type": kind, "status": value, "lastProbeTime": None}
    made["lastTransitionTime"] = _moment(of.now) if changed else before.get("lastTransitionTime")
    if not holds:
        made |= {name: text_ for name, text_ in zip(("reason", "message"), why, strict=True) if text_}
    return made


def _moment(seconds: float) -> str:
    return times.render(datetime.fromtimestamp(seconds, UTC))


def _span(seconds: float) -> str:
    """Return a duration as Go writes it."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
