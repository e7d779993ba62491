from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation, end_pod

from jubako.cluster.controllers import scheduler
from jubako.cluster.controllers.kinds import EVENT, PERSISTENT_VOLUME_CLAIM, POD, STORAGE_CLASS


@pytest.fixture
def sim() -> Simulation:
    return Simulation([scheduler.CONTROLLER])


def node(sim: Simulation, name: str = "node-1", **spec: Any) -> None:
    sim.api.add(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "disk": "ssd", "size": "10"}},
            "spec": spec,
            "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "10"}},
        }
    )


def pod(sim: Simulation, name: str = "p", labels: dict[str, str] | None = None, **spec: Any) -> None:
    container = {"name": "main", "image": "app", "resources": {"requests": spec.pop("requests", {})}}
    container["ports"] = spec.pop("ports", [])  # type: ignore[assignment]
    metadata = {"name": name, "labels": labels or {}}
    sim.api.add({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **spec}})
    sim.settle()


def where(sim: Simulation, name: str = "p") -> str | None:
    bound: str | None = sim.api.find(POD, name)["spec"].get("nodeName")
    return bound


def failure(sim: Simulation, name: str = "p") -> str:
    (condition,) = sim.api.find(POD, name)["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("PodScheduled", "False", "Unschedulable")
    assert ("Warning", "FailedScheduling", condition["message"]) in sim.api.events()
    message: str = condition["message"]
    return message


HOPELESS = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
NO_VICTIMS = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."


def test_a_pod_is_bound_and_told_of(sim: Simulation) -> None:
    node(sim)
    pod(sim)
    assert where(sim) == "node-1"
    assert sim.api.events() == [("Normal", "Scheduled", "Successfully assigned default/p to node-1")]
    (event,) = sim.api.all(EVENT)
    assert event["source"]["component"] == "default-scheduler"


def test_without_a_node_it_waits_for_one(sim: Simulation) -> None:
    pod(sim)
    assert failure(sim) == "no nodes available to schedule pods"
    node(sim)
    sim.settle()
    assert where(sim) == "node-1"


@pytest.mark.parametrize(
    ("node_spec", "pod_spec", "message"),
    [
        ({"unschedulable": True}, {}, f"1 node(s) were unschedulable. {HOPELESS}"),
        (
            {"taints": [{"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}]},
            {},
            f"1 node(s) had untolerated taint {{dedicated: gpu}}. {HOPELESS}",
        ),
        (
            {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}]},
            {},
            f"1 node(s) had untolerated taint {{node.kubernetes.io/not-ready: }}. {HOPELESS}",
        ),
        ({}, {"nodeSelector": {"disk": "hdd"}}, f"1 node(s) didn't match Pod's node affinity/selector. {HOPELESS}"),
        ({}, {"requests": {"cpu": "3"}}, f"1 Insufficient cpu. {HOPELESS}"),
        (
            {},
            {"requests": {"cpu": "3", "memory": "2Gi", "nvidia.com/gpu": "1"}},
            f"1 Insufficient cpu, 1 Insufficient memory, 1 Insufficient nvidia.com/gpu. {HOPELESS}",
        ),
        (
            {},
            {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]},
            f'persistentvolumeclaim "c" not found. {HOPELESS}',
        ),
    ],
)
def test_why_a_pod_has_no_node_is_said_word_for_word(
    sim: Simulation, node_spec: dict[str, Any], pod_spec: dict[str, Any], message: str
) -> None:
    node(sim, **node_spec)
    pod(sim, **pod_spec)
    assert where(sim) is None
    assert failure(sim) == f"0/1 nodes are available: {message}"


def test_a_pod_waits_for_room_and_gets_it_when_another_ends(sim: Simulation) -> None:
    node(sim)
    pod(sim, "first", requests={"cpu": "1500m"})
    pod(sim, "second", requests={"cpu": "600m"})
    assert failure(sim, "second") == f"0/1 nodes are available: 1 Insufficient cpu. {NO_VICTIMS}"
    end_pod(sim.api, sim.api.find(POD, "first"), "Succeeded")
    sim.settle()
    assert where(sim, "second") == "node-1"


def test_too_many_pods(sim: Simulation) -> None:
    node(sim)
    for number in range(11):
        pod(sim, f"p-{number}")
    assert failure(sim, "p-10") == f"0/1 nodes are available: 1 Too many pods. {NO_VICTIMS}"


def test_init_containers_and_sidecars_count_as_they_run(sim: Simulation) -> None:
    def container(cpu: str, **more: Any) -> dict[str, Any]:
        return {"name": f"c{cpu}", "resources": {"requests": {"cpu": cpu}}, **more}

    node(sim)
    inits = [container("1"), container("500m", restartPolicy="Always"), container("1400m")]
    pod(sim, "fits", initContainers=inits, requests={"cpu": "1500m"})
    assert where(sim, "fits") == "node-1"
    sim.api.gone(sim.api.find(POD, "fits"))
    pod(sim, "not", initContainers=[*inits[:2], container("1600m")])
    assert where(sim, "not") is None


def test_host_ports_are_taken_once_by_address_and_protocol(sim: Simulation) -> None:
    node(sim)
    pod(sim, "one", ports=[{"containerPort": 80, "hostPort": 80}])
    pod(sim, "udp", ports=[{"containerPort": 80, "hostPort": 80, "protocol": "UDP"}])
    pod(sim, "two", ports=[{"containerPort": 80, "hostPort": 80, "hostIP": "127.0.0.1"}])
    assert where(sim, "udp") == "node-1"
    words = "1 node(s) didn't have free ports for the requested pod ports"
    assert failure(sim, "two") == f"0/1 nodes are available: {words}. {NO_VICTIMS}"


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ({"key": "disk", "operator": "In", "values": ["ssd"]}, True),
        ({"key": "disk", "operator": "NotIn", "values": ["ssd"]}, False),
        ({"key": "gpu", "operator": "DoesNotExist"}, True),
        ({"key": "size", "operator": "Gt", "values": ["9"]}, True),
        ({"key": "size", "operator": "Lt", "values": ["10"]}, False),
        ({"key": "disk", "operator": "Gt", "values": ["1"]}, False),
    ],
)
def test_node_affinity(sim: Simulation, expression: dict[str, Any], fits: bool) -> None:
    node(sim)
    terms = [{"matchExpressions": [{"key": "none", "operator": "Exists"}]}, {"matchExpressions": [expression]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    pod(sim, affinity={"nodeAffinity": required})
    assert (where(sim) is not None) == fits


def affinity(kind: str, app: str) -> dict[str, Any]:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": app}}}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def test_pods_that_do_not_bear_each_other_do_not_share_a_node_in_either_order(sim: Simulation) -> None:
    node(sim)
    pod(sim, "one", {"app": "db"}, affinity=affinity("podAntiAffinity", "db"))
    pod(sim, "two", {"app": "db"}, affinity=affinity("podAntiAffinity", "db"))
    assert "1 node(s) didn't match pod anti-affinity rules" in failure(sim, "two")
    pod(sim, "three", {"app": "db"})
    assert "1 node(s) didn't satisfy existing pods anti-affinity rules" in failure(sim, "three")


def test_pods_that_seek_each_other_find_each_other_and_the_first_finds_itself(sim: Simulation) -> None:
    node(sim)
    pod(sim, "alone", {"app": "a"}, affinity=affinity("podAffinity", "b"))
    assert "1 node(s) didn't match pod affinity rules" in failure(sim, "alone")
    pod(sim, "first", {"app": "b"}, affinity=affinity("podAffinity", "b"))
    assert where(sim, "first") == "node-1"


def spread(app: str, **more: Any) -> list[dict[str, Any]]:
    rule = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}
    return [{**rule, "labelSelector": {"matchLabels": {"app": app}}, **more}]


def test_pods_are_spread_no_more_unevenly_than_they_may_be(sim: Simulation) -> None:
    for name in ("node-1", "node-2"):
        node(sim, name)
    pinned = {"nodeSelector": {"kubernetes.io/hostname": "node-1"}}
    for number in range(2):
        pod(sim, f"pinned-{number}", {"app": "a"}, **pinned)
    for number in range(2):
        pod(sim, f"p-{number}", {"app": "a"}, topologySpreadConstraints=spread("a"))
        assert where(sim, f"p-{number}") == "node-2"


def test_one_node_is_always_even_but_has_to_have_the_label(sim: Simulation) -> None:
    node(sim)
    for number in range(3):
        pod(sim, f"p-{number}", {"app": "a"}, topologySpreadConstraints=spread("a"))
        assert where(sim, f"p-{number}") == "node-1"
    pod(sim, "zone", topologySpreadConstraints=spread("a", topologyKey="zone"))
    words = "1 node(s) didn't match pod topology spread constraints (missing required label)"
    assert failure(sim, "zone") == f"0/1 nodes are available: {words}. {HOPELESS}"


def test_a_toleration_opens_a_tainted_node(sim: Simulation) -> None:
    node(sim, taints=[{"key": "a", "value": "b", "effect": "NoSchedule"}])
    pod(sim, tolerations=[{"key": "a", "operator": "Equal", "value": "b"}])
    assert where(sim) == "node-1"


def test_gates_and_other_schedulers_are_left_alone(sim: Simulation) -> None:
    node(sim)
    pod(sim, "gated", schedulingGates=[{"name": "x"}])
    (condition,) = sim.api.find(POD, "gated")["status"]["conditions"]
    assert condition["reason"] == "SchedulingGated"
    pod(sim, "other", schedulerName="mine")
    assert where(sim, "other") is None


def test_a_claim_that_waits_for_its_consumer_hears_of_the_node_before_the_pod_is_bound(sim: Simulation) -> None:
    node(sim)
    sim.manager.replace(
        STORAGE_CLASS,
        [
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": "local", "resourceVersion": "1"},
                "volumeBindingMode": "WaitForFirstConsumer",
            }
        ],
        1,
    )
    claim = {"name": "c"}
    sim.api.add(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": claim,
            "spec": {"storageClassName": "local"},
        }
    )
    pod(sim, volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}])
    known = sim.api.find(PERSISTENT_VOLUME_CLAIM, "c")
    assert known["metadata"]["annotations"] == {"volume.kubernetes.io/selected-node": "node-1"}
    assert where(sim) is None

    def bind(each: dict[str, Any]) -> None:
        each["spec"]["volumeName"] = "pv"
        each["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] = "yes"

    sim.api.edit(PERSISTENT_VOLUME_CLAIM, "c", bind)
    sim.settle()
    assert where(sim) == "node-1"


def test_the_same_failure_is_said_once(sim: Simulation) -> None:
    node(sim, unschedulable=True)
    pod(sim)
    revision = sim.api.revision
    sim.advance(60)
    assert sim.api.revision == revision


def budget(sim: Simulation, allowed: int, **labels: str) -> None:
    spec = {"selector": {"matchLabels": labels}, "minAvailable": 1}
    document = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b"}, "spec": spec}
    sim.api.add({**document, "status": {"disruptionsAllowed": allowed}})


def gone(sim: Simulation, *names: str) -> list[str]:
    """Those of these pods that are gone, or about to go."""
    stay = {each["metadata"]["name"] for each in sim.api.all(POD) if not each["metadata"].get("deletionTimestamp")}
    return [name for name in names if name not in stay]


def end(sim: Simulation, name: str) -> None:
    """The node has ended a pod that was told to go."""
    sim.api.gone(sim.api.find(POD, name))
    sim.settle()


def test_who_is_more_important_makes_the_least_important_go(sim: Simulation) -> None:
    node(sim)
    for name, priority in (("low", 1), ("mid", 5), ("high", 9)):
        pod(sim, name, priority=priority, requests={"cpu": "600m"})
    pod(sim, "vip", priority=100, requests={"cpu": "700m"})
    assert gone(sim, "low", "mid", "high") == ["low"]
    assert ("Normal", "Preempted") in {event[:2] for event in sim.api.events()}
    assert where(sim, "vip") is None
    assert sim.api.find(POD, "vip")["status"]["nominatedNodeName"] == "node-1"
    pod(sim, "quick", priority=1, requests={"cpu": "600m"})
    end(sim, "low")
    assert (where(sim, "vip"), where(sim, "quick")) == ("node-1", None)
    assert gone(sim, "mid", "high") == []


def test_nobody_goes_for_an_equal_or_for_who_never_asks(sim: Simulation) -> None:
    node(sim)
    pod(sim, "there", priority=5, requests={"cpu": "2"})
    pod(sim, "equal", priority=5, requests={"cpu": "1"})
    assert failure(sim, "equal").endswith("1 No preemption victims found for incoming pod.")
    pod(sim, "meek", priority=9, preemptionPolicy="Never", requests={"cpu": "1"})
    assert failure(sim, "meek").endswith("preemption: not eligible due to preemptionPolicy=Never.")
    pod(sim, "huge", priority=9, requests={"cpu": "3"})
    assert where(sim, "huge") is None
    assert gone(sim, "there") == []


def test_who_has_a_budget_goes_last_and_no_more_go_than_must(sim: Simulation) -> None:
    node(sim)
    budget(sim, 0, app="kept")
    pod(sim, "kept", labels={"app": "kept"}, priority=1, requests={"cpu": "1"})
    pod(sim, "other", priority=2, requests={"cpu": "1"})
    pod(sim, "vip", priority=9, requests={"cpu": "1"})
    assert gone(sim, "kept", "other") == ["other"]


def test_the_node_whose_victims_are_missed_least_is_taken(sim: Simulation) -> None:
    for number, priority in ((1, 7), (2, 3)):
        node(sim, f"node-{number}")
        pod(sim, f"on-{number}", priority=priority, requests={"cpu": "2"})
    pod(sim, "vip", priority=9, requests={"cpu": "2"})
    assert gone(sim, "on-1", "on-2") == ["on-2"]
    freed = where(sim, "on-2")
    end(sim, "on-2")
    assert where(sim, "vip") == freed


def test_room_that_was_made_is_not_taken_by_who_is_less_important(sim: Simulation) -> None:
    node(sim)
    pod(sim, "there", priority=1, requests={"cpu": "2"})
    status = {"nominatedNodeName": "node-1"}
    sim.api.add(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "vip"},
            "spec": {"priority": 9, "schedulerName": "another", "containers": [_asking("2")]},
            "status": status,
        }
    )
    sim.api.gone(sim.api.find(POD, "there"))
    pod(sim, "quick", priority=1, requests={"cpu": "2"})
    assert where(sim, "quick") is None


def _asking(cpu: str) -> dict[str, Any]:
    return {"name": "main", "image": "app", "resources": {"requests": {"cpu": cpu}}}
