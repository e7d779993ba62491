from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, end_pod, is_active, is_ready, run_pod, template, workload

from jubako.cluster.controllers import daemonset
from jubako.cluster.controllers.kinds import DAEMON_SET, NODE, POD


@pytest.fixture
def sim() -> Simulation:
    return Simulation([daemonset.CONTROLLER])


def node(sim: Simulation, name: str, **spec: Any) -> None:
    sim.api.add({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"n": name}}, "spec": spec})


def make(sim: Simulation, **spec: Any) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    sim.api.add(workload(DAEMON_SET, replicas=None, **{"updateStrategy": strategy, **spec}))
    sim.settle()


def target(pod: dict[str, Any]) -> str:
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    name: str = required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]
    return name


def turn(sim: Simulation) -> None:
    for pod in sim.api.all(POD):
        if "deletionTimestamp" in pod["metadata"]:
            sim.api.gone(pod)
        elif is_active(pod) and not is_ready(pod):
            run_pod(sim.api, pod, node=target(pod))
    sim.settle()


def images(sim: Simulation) -> list[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in sim.api.all(POD) if is_active(pod))


def test_each_node_gets_one_pod_that_only_it_fits_and_that_bears_its_troubles(sim: Simulation) -> None:
    node(sim, "a")
    node(sim, "b", unschedulable=True)
    make(sim)
    pods = sim.api.all(POD)
    assert sorted(map(target, pods)) == ["a", "b"]
    keys = {each["key"] for each in pods[0]["spec"]["tolerations"]}
    assert keys == {
        f"node.kubernetes.io/{each}"
        for each in ("not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
    }
    node(sim, "c")
    sim.settle()
    assert len(sim.api.all(POD)) == 3


def test_nodes_that_it_does_not_select_or_bear_get_none(sim: Simulation) -> None:
    node(sim, "a")
    node(sim, "b", taints=[{"key": "x", "effect": "NoSchedule"}])
    wanted = template()
    wanted["spec"]["nodeSelector"] = {"n": "b"}
    make(sim, template=wanted)
    assert sim.api.all(POD) == []
    wanted["spec"]["tolerations"] = [{"key": "x", "operator": "Exists"}]
    sim.api.edit(DAEMON_SET, "web", lambda each: each["spec"].update(template=wanted))
    sim.settle()
    assert [target(pod) for pod in sim.api.all(POD)] == ["b"]


def test_a_taint_that_executes_takes_the_pod_away_one_that_only_repels_does_not(sim: Simulation) -> None:
    node(sim, "a")
    make(sim)
    turn(sim)
    sim.api.edit(NODE, "a", lambda each: each["spec"].update(taints=[{"key": "x", "effect": "NoSchedule"}]))
    sim.settle()
    assert [is_active(pod) for pod in sim.api.all(POD)] == [True]
    sim.api.edit(NODE, "a", lambda each: each["spec"].update(taints=[{"key": "x", "effect": "NoExecute"}]))
    sim.settle()
    assert [is_active(pod) for pod in sim.api.all(POD)] == [False]


def test_status_counts(sim: Simulation) -> None:
    node(sim, "a")
    node(sim, "b")
    make(sim)
    run_pod(sim.api, next(pod for pod in sim.api.all(POD) if target(pod) == "a"), node="a")
    sim.settle()
    assert sim.api.find(DAEMON_SET, "web")["status"] == {
        "currentNumberScheduled": 2,
        "desiredNumberScheduled": 2,
        "numberMisscheduled": 0,
        "numberReady": 1,
        "updatedNumberScheduled": 2,
        "numberAvailable": 1,
        "numberUnavailable": 1,
        "observedGeneration": 1,
    }


def test_an_update_replaces_one_node_s_pod_at_a_time(sim: Simulation) -> None:
    for name in "abc":
        node(sim, name)
    make(sim)
    turn(sim)
    sim.api.edit(DAEMON_SET, "web", lambda each: each["spec"].update(template=template("app:2")))
    sim.settle()
    for _ in range(20):
        ready = sum(is_ready(pod) and is_active(pod) for pod in sim.api.all(POD))
        assert ready >= 2
        turn(sim)
    assert images(sim) == ["app:2"] * 3


def test_with_a_surge_the_new_pod_stands_beside_the_old_one_until_it_is_available(sim: Simulation) -> None:
    for name in "ab":
        node(sim, name)
    make(sim, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}})
    turn(sim)
    sim.api.edit(DAEMON_SET, "web", lambda each: each["spec"].update(template=template("app:2")))
    sim.settle()
    assert images(sim) == ["app:1", "app:1", "app:2"]
    for _ in range(12):
        turn(sim)
        assert sum(is_ready(pod) and is_active(pod) for pod in sim.api.all(POD)) >= 2
    assert images(sim) == ["app:2", "app:2"]


def test_on_delete_leaves_old_pods(sim: Simulation) -> None:
    node(sim, "a")
    make(sim, updateStrategy={"type": "OnDelete"})
    turn(sim)
    sim.api.edit(DAEMON_SET, "web", lambda each: each["spec"].update(template=template("app:2")))
    sim.settle()
    assert images(sim) == ["app:1"]
    sim.api.remove(sim.api.all(POD)[0])
    for _ in range(3):
        turn(sim)
    assert images(sim) == ["app:2"]


def test_a_failed_pod_is_killed_told_of_and_made_again(sim: Simulation) -> None:
    node(sim, "a")
    make(sim)
    turn(sim)
    (pod,) = sim.api.all(POD)
    end_pod(sim.api, pod, "Failed")
    sim.advance(2)
    turn(sim)
    (again,) = sim.api.all(POD)
    assert again["metadata"]["uid"] != pod["metadata"]["uid"]
    which = f"default/{pod['metadata']['name']} on node a"
    assert ("Warning", "FailedDaemonPod", f"Found failed daemon pod {which}, will try to kill it") in sim.api.events()
