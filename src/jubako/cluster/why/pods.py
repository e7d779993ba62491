"""A pod, from its admission to ready."""

from __future__ import annotations

from collections.abc import Iterator

from jubako.cluster.types.document import Object, array, at, mapping, objects, text
from jubako.cluster.why.containers import container_finding
from jubako.cluster.why.facts import Facts, condition, is_ready, last_seen, message, name_of
from jubako.cluster.why.scheduling import scheduling
from jubako.cluster.why.story import Finding, bad, good, told, wait

_STARTS = ("Pulled", "Created", "Started")


def pod_story(pod: Object, facts: Facts) -> Finding:
    phase = text(at(pod, "status", "phase"))
    well = "has done its work" if phase == "Succeeded" else "runs and is ready"
    return told(f"pod/{name_of(pod)}", [*_stages(pod, facts)], well)


def _stages(pod: Object, facts: Facts) -> Iterator[Finding]:
    """Return a finding for each stage, up to the first that is not good."""
    if at(pod, "metadata", "deletionTimestamp"):
        yield _deleting(pod, facts)
        return
    if (phase := _over(pod, facts)) is not None:
        yield phase
    else:
        placed = scheduling(pod, facts)
        yield placed
        if not placed.is_good:
            return
        if (lost := _node(pod, facts)) is not None:
            yield lost
            return
        if (sandbox := _sandbox(pod, facts)) is not None:
            yield sandbox
            return
    found = [*_containers(pod, facts)]
    yield from found
    if all(each.is_good for each in found) and text(at(pod, "status", "phase")) == "Running" and not is_ready(pod):
        yield _gates(pod)


def _deleting(pod: Object, facts: Facts) -> Finding:
    holders = [text(each) for each in array(at(pod, "metadata", "finalizers"))]
    if holders:
        name = name_of(pod)
        return bad(
            f"it is being deleted, and held by finalizers: {', '.join(holders)}",
            f"whoever has set {holders[0]} takes it away: jubako get pod/{name} -o yaml{facts.flags}",
        )
    grace = at(pod, "metadata", "deletionGracePeriodSeconds")
    return wait(f"it is being deleted; its containers have {grace}s to end")


def _over(pod: Object, facts: Facts) -> Finding | None:
    """Return why a pod as a whole has come to its end, beside its containers."""
    phase, reason, said = (text(at(pod, "status", field)) for field in ("phase", "reason", "message"))
    if phase == "Failed" and reason:
        return bad(f"it has failed: {reason}" + (f": {said}" if said else ""))
    return good(f"it has run on {text(at(pod, 'spec', 'nodeName'))}") if phase in ("Failed", "Succeeded") else None


def _node(pod: Object, facts: Facts) -> Finding | None:
    name = text(at(pod, "spec", "nodeName"))
    node = facts.node(name)
    if node is None:
        return (
            bad(f"its node {name} does not exist any more", f"jubako delete pod/{name_of(pod)} --force{facts.flags}")
            if facts.nodes
            else None
        )
    ready = condition(node, "Ready")
    if ready.get("status") != "True":
        return bad(
            f"its node {name} is not ready: {text(ready.get('message')) or text(ready.get('reason'))}",
            f"jubako describe node/{name}",
        )
    return None


def _sandbox(pod: Object, facts: Facts) -> Finding | None:
    """Return what keeps any container from being made: volumes, the network."""
    statuses = [*objects(at(pod, "status", "initContainerStatuses")), *objects(at(pod, "status", "containerStatuses"))]
    if any(mapping(at(each, "state")).keys() - {"waiting"} or at(each, "lastState", "terminated") for each in statuses):
        return None
    if any(
        at(each, "state", "waiting", "reason") not in (None, "ContainerCreating", "PodInitializing")
        for each in statuses
    ):
        return None
    failed = facts.event(pod, "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedSync")
    if failed is None:
        return None
    later = facts.event(pod, *_STARTS)
    if later is not None and last_seen(later) > last_seen(failed):
        return None
    said = message(failed)
    if failed.get("reason") in ("FailedMount", "FailedAttachVolume"):
        return bad(f"a volume of it can not be had: {said}", *_volume_tries(said))
    return bad(f"its sandbox can not be made: {said}", f"jubako describe pod/{name_of(pod)}{facts.flags}")


def _volume_tries(said: str) -> list[str]:
    for kind in ("configmap", "secret", "persistentvolumeclaim"):
        _, found, rest = said.partition(f'{kind} "')
        if found:
            name = rest.split('"')[0].rpartition("/")[2]
            return [f"apply the {kind} {name}: the pod goes on by itself"]
    return []


def _containers(pod: Object, facts: Facts) -> Iterator[Finding]:
    before, main = (
        _with_status(pod, *fields)
        for fields in (("initContainers", "initContainerStatuses"), ("containers", "containerStatuses"))
    )
    for container, status in before:
        found = container_finding(pod, container, status, facts, initial=True)
        yield found
        if not found.is_good:
            return
    for container, status in main:
        yield container_finding(pod, container, status, facts)


def _with_status(pod: Object, specs: str, statuses: str) -> list[tuple[Object, Object]]:
    known = {text(each.get("name")): each for each in objects(at(pod, "status", statuses))}
    return [(each, known.get(text(each.get("name")), {})) for each in objects(at(pod, "spec", specs))]


def _gates(pod: Object) -> Finding:
    gates = [text(each.get("conditionType")) for each in objects(at(pod, "spec", "readinessGates"))]
    closed = [gate for gate in gates if condition(pod, gate).get("status") != "True"]
    if closed:
        return wait(f"its readiness gates are closed: {', '.join(closed)}")
    return wait("its containers run, and it is about to be ready")
