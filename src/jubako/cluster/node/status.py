"""A pod and what is seen of it -> the status that is told: phase, conditions, a state for each container.

Spec: "Pod Lifecycle"; core/v1 PodStatus; k8s.io/kubernetes/pkg/kubelet/status.
"""

from __future__ import annotations

from jubako.cluster.node import decide
from jubako.cluster.node.backoff import delay_s
from jubako.cluster.node.conditions import conditions, is_initialized, moment
from jubako.cluster.node.decide import Situation, ephemeral, initial, is_sidecar, main, name_of
from jubako.cluster.node.seen import Attempt, Health, Waiting
from jubako.cluster.types.document import Object, mapping, objects, text

_UNSTARTED = 128  # what runtimes say of one that could not be started


def status(of: Situation, *, host: str) -> Object:
    """Return the whole status; `host` is the node's address."""
    before = mapping(of.pod.get("status"))
    phase, reason, message = _settled(of, _phase(of))
    found: Object = {**before, "phase": phase, "hostIP": host, "hostIPs": [{"ip": host}]}
    for name, value in (("reason", reason), ("message", message)):
        found.pop(name, None)
        if value:
            found[name] = value
    found.setdefault("startTime", moment(of.now))
    if of.refusal is not None:
        return found
    if address := of.seen.address or (host if of.seen.ready and _is_on_host(of.pod) else ""):
        found["podIP"], found["podIPs"] = address, [{"ip": address}]
    if initial(of.pod):
        found["initContainerStatuses"] = [_container(of, each, is_init=True) for each in initial(of.pod)]
    found["containerStatuses"] = [_container(of, each, is_init=False) for each in sorted(main(of.pod), key=name_of)]
    if ephemeral(of.pod):
        found["ephemeralContainerStatuses"] = [_ephemeral(of, each) for each in ephemeral(of.pod)]
    found["conditions"] = conditions(of, found)
    return found


def _settled(of: Situation, found: tuple[str, str, str]) -> tuple[str, str, str]:
    """A pod has not ended before its last container has."""
    known = mapping(of.pod.get("status"))
    if found[0] not in ("Succeeded", "Failed") or decide.has_ended(of.pod) or not decide.any_running(of):
        return found
    return text(known.get("phase")) or "Running", text(known.get("reason")), text(known.get("message"))


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
    if of.refusal is not None:
        return "Failed", of.refusal.reason, f"Pod was rejected: {of.refusal.message}"
    if decide.is_late(of):
        return "Failed", decide.LATE.reason, decide.LATE.message
    if decide.failed_init(of) is not None:
        return "Failed", "", ""
    if decide.is_over(of):
        lasts = [of.seen.last(name_of(each)) for each in main(of.pod)]
        failed = any(each is None or each.exit_code or each.error for each in lasts)
        return ("Failed" if failed else "Succeeded"), "", ""
    if not is_initialized(of):
        return "Pending", "", ""
    lasts = [of.seen.last(name_of(each)) for each in main(of.pod)]
    return (
        ("Running" if all(each is not None and (each.started or each.error) for each in lasts) else "Pending"),
        "",
        "",
    )


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
        "lastState": _previous(of, container),
        "ready": done or (running and health.started and health.ready and (not is_init or is_sidecar(container))),
        "restartCount": last.number if last else 0,
        "image": last.image if last and last.image else text(container.get("image")),
        "imageID": last.image_id if last else "",
        "started": running and health.started,
    }
    if last is not None:
        found["containerID"] = f"jubako://{last.id}"
    if mounts := objects(container.get("volumeMounts")):
        found["volumeMounts"] = [_mount(each) for each in mounts]
    return found


def _mount(mount: Object) -> Object:
    found: Object = {"name": mount.get("name"), "mountPath": mount.get("mountPath")}
    if mount.get("readOnly") is True:
        wanted = mount.get("recursiveReadOnly") in ("IfPossible", "Enabled")
        found |= {"readOnly": True, "recursiveReadOnly": "Enabled" if wanted else "Disabled"}
    return found


def _ephemeral(of: Situation, container: Object) -> Object:
    """One that was put into a running pod is never ready for anything, and is not started again."""
    found = _container(of, container, is_init=False)
    return {**{name: held for name, held in found.items() if name != "started"}, "ready": False}


def _previous(of: Situation, container: Object) -> Object:
    """A container that waits to be started again shows how it ended as its last state; another, the attempt before."""
    attempts = of.seen.of(name_of(container))
    if attempts and attempts[0].ended and decide.comes_again(of, container):
        return _ended(attempts[0])
    return _ended(attempts[1]) if len(attempts) > 1 and attempts[1].ended else {}


def _state(of: Situation, container: Object, *, is_init: bool) -> Object:
    name = name_of(container)
    attempts = of.seen.of(name)
    last = attempts[0] if attempts else None
    if last is not None and last.running:
        return {"running": {"startedAt": moment(last.started)}}
    if last is not None and last.ended and not decide.comes_again(of, container):
        return _ended(last)
    held = of.waiting.get(name)
    if held is not None and (held.until >= of.now or last is None or not last.ended):
        return _waiting(held)
    if last is not None and last.ended and (delay := delay_s(attempts)) > 0:
        where = f"container={name} pod={full_name(of.pod)}"
        return _waiting(Waiting("CrashLoopBackOff", f"back-off {_span(delay)} restarting failed {where}"))
    if not is_init and not is_initialized(of):
        return _waiting(Waiting("PodInitializing", ""))
    return _waiting(Waiting("ContainerCreating" if not initial(of.pod) else "PodInitializing", ""))


def _waiting(held: Waiting) -> Object:
    state: Object = {"reason": held.reason}
    if held.message:
        state["message"] = held.message
    return {"waiting": state}


def _ended(attempt: Attempt) -> Object:
    state: Object = {
        "exitCode": _UNSTARTED if attempt.error else attempt.exit_code,
        "reason": attempt.reason or ("Error" if attempt.exit_code else "Completed"),
        "startedAt": moment(attempt.started),
        "finishedAt": moment(attempt.finished) if attempt.finished else None,
        "containerID": f"jubako://{attempt.id}",
    }
    if attempt.message or attempt.error:
        state["message"] = attempt.message or attempt.error
    return {"terminated": state}


def _span(seconds: float) -> str:
    """Return a duration as Go writes it."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
