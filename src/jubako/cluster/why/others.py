"""A budget for disruptions, which keeps a drain waiting; and a node."""

from __future__ import annotations

from collections.abc import Iterator

from jubako.cluster.types.document import Object, at, integer, objects, text
from jubako.cluster.types.selection import matches
from jubako.cluster.why.facts import Facts, condition, is_ready, labels, name_of
from jubako.cluster.why.pods import pod_story
from jubako.cluster.why.story import Finding, bad, good, told, wait


def budget_story(budget: Object, facts: Facts) -> Finding:
    return told(f"pdb/{name_of(budget)}", [_budget(budget, facts)], "lets pods go")


def _budget(budget: Object, facts: Facts) -> Finding:
    allowed, healthy, needed, every = (
        integer(at(budget, "status", name))
        for name in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
    )
    if not every:
        return wait("it selects no pods", f"jubako get pods --show-labels{facts.flags}")
    if allowed:
        return good(f"{allowed} of {every} pods may be evicted now; {needed} are to stay healthy")
    mine = [pod for pod in facts.pods if matches(at(budget, "spec", "selector"), labels(pod))]
    unwell = [pod_story(pod, facts) for pod in mine if not is_ready(pod)]
    if healthy < needed:
        return bad(f"no pod may be evicted: {healthy} pods are healthy, and {needed} must be", because=unwell[:1])
    return bad(
        f"no pod may be evicted: all {healthy} that are healthy are needed",
        "scale what makes them, or lower minAvailable",
    )


def node_story(node: Object, facts: Facts) -> Finding:
    return told(f"node/{name_of(node)}", [*_node(node)], "is ready for pods")


def _node(node: Object) -> Iterator[Finding]:
    ready, name = condition(node, "Ready"), name_of(node)
    if ready.get("status") != "True":
        yield bad(f"it is not ready: {text(ready.get('message')) or text(ready.get('reason'))}")
    else:
        yield good("its kubelet is at work")
    for each in objects(at(node, "status", "conditions")):
        if text(each.get("type")).endswith(("Pressure", "Unavailable")) and each.get("status") == "True":
            yield bad(f"{text(each.get('type'))}: {text(each.get('message'))}")
    if at(node, "spec", "unschedulable") is True:
        yield wait("it takes no new pods: it is cordoned", f"kubectl uncordon {name}")
