"""Why a pod has no node: what the scheduler says of each, in plain words.

Spec: the messages of kube-scheduler's plugins, "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) …".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jubako.cluster.types.document import Object, at, objects, strings, text
from jubako.cluster.types.quantity import Quantity
from jubako.cluster.why.claims import claim_finding, claims_of
from jubako.cluster.why.facts import Facts, condition, name_of
from jubako.cluster.why.story import Finding, bad, good, wait

_PARTS = re.compile(r"nodes are available: (.*?)(?:\. preemption:.*|\.? *)$", re.DOTALL)
_PART = re.compile(r"(\d+) (.*)", re.DOTALL)


def scheduling(pod: Object, facts: Facts) -> Finding:
    """Return whether a pod has a node, and what keeps it from one."""
    node = text(at(pod, "spec", "nodeName"))
    if node:
        return good(f"scheduled to {node}")
    told = condition(pod, "PodScheduled")
    said = text(told.get("message"))
    if told.get("reason") == "SchedulingGated":
        gates = ", ".join(text(each.get("name")) for each in objects(at(pod, "spec", "schedulingGates")))
        return wait(f"its scheduling gates are closed: {gates}", "whoever has set them takes them away")
    if told.get("status") != "False":
        name = text(at(pod, "spec", "schedulerName")) or "default-scheduler"
        return wait(f"it waits for the scheduler {name}")
    if found := _claims(pod, facts, said):
        return bad("no node is chosen before its claims are bound", because=found)
    parts = _parts(said)
    because = [_explained(pod, facts, count, reason) for count, reason in parts]
    return bad("no node can take it", because=because or [bad(said)])


def _claims(pod: Object, facts: Facts, said: str) -> list[Finding]:
    if "PersistentVolumeClaim" not in said and "persistentvolumeclaim" not in said:
        return []
    return [found for found in (claim_finding(name, facts) for name in claims_of(pod)) if not found.is_good]


def _parts(said: str) -> list[tuple[int, str]]:
    """Return how many nodes refuse for which reason."""
    found = _PARTS.search(said)
    # Taints have commas of their own only within braces.
    texts = re.split(r", (?=\d+ )", found.group(1)) if found else []
    matched = [_PART.fullmatch(each) for each in texts]
    return [(int(each.group(1)), each.group(2)) for each in matched if each]


def _explained(pod: Object, facts: Facts, count: int, reason: str) -> Finding:
    nodes = "the node" if len(facts.nodes) == 1 else f"{count} of {len(facts.nodes) or count} nodes"
    for mark, explain in _REASONS.items():
        if mark in reason:
            return explain(pod, facts, nodes, reason)
    return bad(f"{nodes}: {reason}")


def _insufficient(pod: Object, facts: Facts, nodes: str, reason: str) -> Finding:
    name = reason.split("Insufficient ")[1].split()[0]
    wanted = sum((_asked(each, name) for each in objects(at(pod, "spec", "containers"))), Quantity(0))
    there = [text(at(each, "status", "allocatable", name)) for each in facts.nodes]
    biggest = max((Quantity.parse(each) for each in there if each), default=None)
    has = f", of {biggest} that a node has" if biggest is not None else ""
    too_big = biggest is not None and wanted > biggest
    room = "more than any node has" if too_big else "the rest is taken by other pods"
    lower = f"lower resources.requests.{name}"
    tries = (lower,) if too_big else (lower, "jubako describe nodes   # who has taken it")
    return bad(f"it asks for {name} {wanted}{has}: {room}", *tries)


def _asked(container: Object, name: str) -> Quantity:
    found = at(container, "resources", "requests", name)
    return Quantity.parse(str(found)) if found is not None else Quantity(0)


def _taint(_pod: Object, _facts: Facts, nodes: str, reason: str) -> Finding:
    found = re.search(r"\{([^:}]*): ?([^}]*)\}", reason)
    taint = f"{found.group(1)}={found.group(2)}".rstrip("=") if found else reason
    return bad(
        f"{nodes} has the taint {taint}, which the pod does not tolerate",
        "add it to spec.tolerations, or take it from the node",
    )


def _affinity(pod: Object, facts: Facts, nodes: str, _reason: str) -> Finding:
    wanted = strings(at(pod, "spec", "nodeSelector"))
    if not wanted:
        return bad(f"{nodes} does not match its node affinity", "jubako get nodes --show-labels")
    spelled = ",".join(f"{key}={value}" for key, value in sorted(wanted.items()))
    return bad(f"{nodes} does not have the labels {spelled} that it selects", "jubako get nodes --show-labels")


def _cordoned(_pod: Object, facts: Facts, nodes: str, _reason: str) -> Finding:
    names = [name_of(each) for each in facts.nodes if at(each, "spec", "unschedulable") is True]
    return bad(f"{nodes} is closed for new pods", *(f"kubectl uncordon {name}" for name in names))


def _ports(pod: Object, _facts: Facts, nodes: str, _reason: str) -> Finding:
    found = [
        str(port["hostPort"])
        for container in objects(at(pod, "spec", "containers"))
        for port in objects(container.get("ports"))
        if port.get("hostPort")
    ]
    return bad(f"another pod on {nodes} has the host port {', '.join(found)}", "use a Service instead of hostPort")


_REASONS: dict[str, Callable[[Object, Facts, str, str], Finding]] = {
    "Insufficient ": _insufficient,
    "untolerated taint": _taint,
    "node affinity/selector": _affinity,
    "were unschedulable": _cordoned,
    "didn't have free ports": _ports,
}
