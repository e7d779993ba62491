"""No object, however odd, makes a controller fail: it does what it can with it, or nothing."""

from __future__ import annotations

import copy
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings
from tests.unit.cluster.simulation import Simulation, stamp, template, workload

from jubako.cluster.controllers.every import controllers
from jubako.cluster.controllers.kinds import (
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    JOB,
    NODE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    SERVICE,
    STATEFUL_SET,
)

scalar = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["²", "--5", "-1", "1%", "x%"])
)
anything = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
KINDS = [POD, REPLICA_SET, DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, CRON_JOB, SERVICE, PERSISTENT_VOLUME_CLAIM]


def other(kind: Any, name: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "default", "labels": {"app": "web"}, "annotations": {"a": "b"}}
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": spec, "status": {}}


def documents() -> list[dict[str, Any]]:
    selector = {"matchLabels": {"app": "web"}}
    job = {"template": template(), "completions": 2, "parallelism": 1, "backoffLimit": 3, "activeDeadlineSeconds": 9}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
    return [
        workload(DEPLOYMENT, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": "10%"}}),
        workload(REPLICA_SET, "rs"),
        workload(STATEFUL_SET, "sts", serviceName="s", updateStrategy={"rollingUpdate": {"partition": 0}}),
        workload(DAEMON_SET, "ds", updateStrategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}),
        other(JOB, "job", selector=selector, completionMode="Indexed", **job),
        other(
            CRON_JOB, "cron", schedule="* * * * *", timeZone="UTC", startingDeadlineSeconds=9, jobTemplate={"spec": job}
        ),
        other(SERVICE, "svc", selector={"app": "web"}, ports=[{"port": 80, "targetPort": "http"}], ipFamilies=["IPv4"]),
        other(POD_DISRUPTION_BUDGET, "pdb", selector=selector, minAvailable="50%"),
        other(PERSISTENT_VOLUME_CLAIM, "pvc", storageClassName="local", resources={"requests": {"storage": "1Gi"}}),
        other(POD, "pod", **template()["spec"], affinity=affinity, tolerations=[{"key": "a", "tolerationSeconds": 3}]),
        {**other(NODE, "node-1", taints=[{"key": "a", "effect": "NoExecute"}]), "metadata": {"name": "node-1"}},
    ]


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places in a document that may be replaced: not those that say which object it is."""
    found = [] if len(path) < 2 or path[1:] in (("name",), ("namespace",)) else [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        if path or key in ("metadata", "spec", "status"):
            found += paths(item, (*path, key))
    return found


def replaced(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    holder: Any = changed
    for key in path[:-1]:
        holder = holder[key]
    if isinstance(holder, dict) != isinstance(path[-1], str):
        raise KeyError(path)
    holder[path[-1]] = value
    return changed


@settings(max_examples=25)
@given(st.data())
def test_odd_values_anywhere(data: st.DataObject) -> None:
    sim = Simulation(controllers(KINDS, "PEM"))
    sim.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}, "spec": {"finalizers": []}})
    for document in documents():
        for path in data.draw(st.lists(st.sampled_from(paths(document)), max_size=2)):
            try:
                document = replaced(document, path, data.draw(anything))
            except (KeyError, IndexError, TypeError):
                continue
        made = sim.api.add(document)
        sim.api.change(
            made, startTime=stamp(sim.clock.time), completedIndexes=data.draw(st.sampled_from(["", "0-9", "²-"]))
        )
    for _ in range(40):
        sim.deliver_all()
        sim.work()
        sim.clock.time += 7
