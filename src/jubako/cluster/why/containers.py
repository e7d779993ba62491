"""One container of a pod: image, configuration, start, end, probes; the first of these that is not good is told."""

from __future__ import annotations

from jubako.cluster.types.document import Object, at, integer, mapping, text
from jubako.cluster.why.ends import end_text, is_unstarted, tries_for
from jubako.cluster.why.facts import Facts, message, name_of
from jubako.cluster.why.images import WAITING, image_finding
from jubako.cluster.why.probes import asked, last_failure, unready
from jubako.cluster.why.story import Finding, bad, good, wait

_STARTING = ("ContainerCreating", "PodInitializing", "")
_LAST_LINES = 5


def container_finding(
    pod: Object, container: Object, status: Object, facts: Facts, *, initial: bool = False
) -> Finding:
    """`initial` says that it runs before the others, and must end."""
    state = mapping(status.get("state"))
    if "waiting" in state or not state:
        return _waiting(pod, container, status, facts)
    if "running" in state:
        return _running(pod, container, status, facts, initial=initial)
    return _ended(pod, container, mapping(state.get("terminated")), facts, initial=initial)


def _waiting(pod: Object, container: Object, status: Object, facts: Facts) -> Finding:
    name, waiting = text(container.get("name")), mapping(at(status, "state", "waiting"))
    reason, said = text(waiting.get("reason")), text(waiting.get("message"))
    if reason in WAITING:
        return image_finding(container, waiting, _pull_failure(pod, container, facts) or said)
    if reason == "CreateContainerConfigError":
        return bad(f"container {name} can not be configured: {said}", *_missing_tries(said, facts))
    if reason in ("CreateContainerError", "RunContainerError"):
        ended: Object = {"reason": "StartError", "message": said, "exitCode": 128}
        return bad(f"container {name} {end_text(ended)}", *tries_for(ended, container))
    if reason == "CrashLoopBackOff":
        return _crashing(pod, container, status, facts)
    if reason in _STARTING:
        return wait(f"container {name} is being made")
    return bad(f"container {name} waits: {reason}", said=[said] if said else [])


def _pull_failure(pod: Object, container: Object, facts: Facts) -> str:
    lead = f'Failed to pull image "{text(container.get("image"))}": '
    found = (message(each) for each in facts.of(pod) if each.get("reason") == "Failed")
    return next((each.removeprefix(lead) for each in found if each.startswith(lead)), "")


def _missing_tries(said: str, facts: Facts) -> list[str]:
    words = said.split('"')
    kind = next((each for each in ("configmap", "secret") if each in said.lower()), "")
    if not kind or len(words) < 3:
        return []
    return [f"apply the {kind} {words[1].rpartition('/')[2]}, or mark its use optional: the pod goes on by itself"]


def _crashing(pod: Object, container: Object, status: Object, facts: Facts) -> Finding:
    name, restarts = text(container.get("name")), integer(status.get("restartCount"))
    ended = mapping(at(status, "lastState", "terminated"))
    if killed := _killed_by_probe(pod, container, facts):
        return killed
    how = end_text(ended) if ended else "ends as soon as it has started"
    since = f", last {facts.ago(ended['finishedAt'])} ago" if ended.get("finishedAt") else ""
    told = f"container {name} {how}, again and again ({_times(restarts)}{since}); each start waits longer"
    if is_unstarted(ended):  # it has said nothing
        return bad(told, *tries_for(ended, container))
    said = _last_lines(pod, name, ended, facts)
    return bad(told, *tries_for(ended, container), _logs(pod, name, facts, previous=True), said=said)


def _times(restarts: int) -> str:
    return f"{restarts} restart{'' if restarts == 1 else 's'}"


def _killed_by_probe(pod: Object, container: Object, facts: Facts) -> Finding | None:
    """Return what is told of a container that its liveness or startup probe ends."""
    name = text(container.get("name"))
    killing = next((message(each) for each in facts.of(pod) if each.get("reason") == "Killing"), "")
    for kind in ("liveness", "startup"):
        if f"Container {name} failed {kind} probe" in killing:
            probe, said = mapping(container.get(f"{kind}Probe")), last_failure(pod, kind, facts)
            told = f"container {name} is ended and started again, since its {kind} probe ({asked(probe)}) fails"
            slow = "a startupProbe, or a longer initialDelaySeconds, gives a slow start its time"
            return bad(told, _logs(pod, name, facts, previous=True), slow, said=[said] if said else [])
    return None


def _running(pod: Object, container: Object, status: Object, facts: Facts, *, initial: bool) -> Finding:
    name, restarts = text(container.get("name")), integer(status.get("restartCount"))
    since = facts.ago(at(status, "state", "running", "startedAt"))
    if initial and container.get("restartPolicy") != "Always":
        return wait(
            f"init container {name} has run for {since}, and must end before the others start", _logs(pod, name, facts)
        )
    if status.get("ready") is not True:
        return _killed_by_probe(pod, container, facts) or unready(pod, container, status, facts)
    ended = mapping(at(status, "lastState", "terminated"))
    again = f"; before, it {end_text(ended)} ({_times(restarts)})" if restarts and ended else ""
    return good(f"container {name} has run for {since}{again}")


def _ended(pod: Object, container: Object, ended: Object, facts: Facts, *, initial: bool) -> Finding:
    name, code = text(container.get("name")), integer(ended.get("exitCode"))
    kind = "init container" if initial else "container"
    if code == 0 and (initial or at(pod, "spec", "restartPolicy") != "Always"):
        return good(f"{kind} {name} has done its work")
    told = f"{kind} {name} {end_text(ended)}, {facts.ago(ended.get('finishedAt'))} ago"
    return bad(told, *tries_for(ended, container), _logs(pod, name, facts), said=_last_lines(pod, name, ended, facts))


def _logs(pod: Object, name: str, facts: Facts, *, previous: bool = False) -> str:
    return f"jubako logs pod/{name_of(pod)} -c {name}{' --previous' if previous else ''}{facts.flags}"


def _last_lines(pod: Object, name: str, ended: Object, facts: Facts) -> list[str]:
    lines = [line for line in facts.logs.get((name_of(pod), name), ()) if line.strip()]
    last_words = text(ended.get("message")).strip()
    return lines[-_LAST_LINES:] or ([last_words] if last_words and "exec format" not in last_words else [])
