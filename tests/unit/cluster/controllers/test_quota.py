"""What a quota says is used, and which objects take what of it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation

from jubako.cluster.controllers import quota
from jubako.cluster.controllers.kinds import CONFIG_MAP, POD, RESOURCE_QUOTA, SERVICE
from jubako.cluster.controllers.quota.scopes import selects
from jubako.cluster.controllers.quota.usage import measures, usage, written

MIB = 2**20
KINDS = (POD, CONFIG_MAP, SERVICE, RESOURCE_QUOTA)


def container(requests: Any = None, limits: Any = None) -> Any:
    return {"name": "c", "resources": {"requests": requests or {}, "limits": limits or {}}}


POD_ASKING = {
    "spec": {
        "containers": [container({"cpu": "100m", "memory": "1Mi"}, {"cpu": "1"}), container({"cpu": "1"})],
        "initContainers": [container({"memory": "4Mi", "example.com/toy": "2"})],
        "overhead": {"cpu": "10m"},
    }
}
NODE_PORTS = {"spec": {"type": "NodePort", "ports": [{}, {}]}}
BALANCED = {
    "spec": {"type": "LoadBalancer", "ports": [{}, {"nodePort": 30000}], "allocateLoadBalancerNodePorts": False}
}
CLAIM = {"spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Mi"}}}}


@pytest.mark.parametrize(
    ("what", "document", "expected"),
    [
        (
            "pods", POD_ASKING,
            {
                "count/pods": 1, "pods": 1, "cpu": 1.11, "requests.cpu": 1.11, "memory": 4 * MIB, "limits.cpu": 1.01,
                "requests.memory": 4 * MIB, "requests.example.com/toy": 2,
            },
        ),
        ("pods", {**POD_ASKING, "status": {"phase": "Failed"}}, {"count/pods": 1}),
        ("services", NODE_PORTS, {"count/services": 1, "services": 1, "services.nodeports": 2}),
        (
            "services", BALANCED,
            {"count/services": 1, "services": 1, "services.nodeports": 1, "services.loadbalancers": 1},
        ),
        (
            "persistentvolumeclaims", CLAIM,
            {
                "count/persistentvolumeclaims": 1, "persistentvolumeclaims": 1, "requests.storage": MIB,
                "fast.storageclass.storage.k8s.io/persistentvolumeclaims": 1,
                "fast.storageclass.storage.k8s.io/requests.storage": MIB,
            },
        ),
        ("deployments.apps", {}, {"count/deployments.apps": 1}),
        ("secrets", {}, {"count/secrets": 1, "secrets": 1}),
    ],
)  # fmt: skip
def test_what_an_object_takes(what: str, document: Any, expected: dict[str, float]) -> None:
    taken = usage(what, document, 0)
    assert {name: amount / 10**9 for name, amount in taken.items() if amount} == expected
    assert all(measures(what, name) for name in taken)


@pytest.mark.parametrize(
    ("name", "nanos", "expected"),
    [
        ("cpu", 1_500_000_000, "1500m"),
        ("memory", 64 * MIB * 10**9, "64Mi"),
        ("memory", 100 * 10**15, "100M"),
        ("requests.storage", 1000 * MIB * 10**9, "1000Mi"),
        ("pods", 0, "0"),
    ],
)
def test_amounts_are_as_people_write_them(name: str, nanos: int, expected: str) -> None:
    assert written(name, nanos) == expected


def asks(operator: str, *values: str) -> Any:
    return {"scopeName": "PriorityClass", "operator": operator, "values": list(values)}


NEIGHBOUR = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"namespaces": ["other"]}]}}


@pytest.mark.parametrize(
    ("scopes", "asked", "spec", "expected"),
    [
        ([], [], {}, True),
        (["Terminating"], [], {"activeDeadlineSeconds": 1}, True),
        (["NotTerminating"], [], {"activeDeadlineSeconds": 1}, False),
        (["BestEffort"], [], {}, True),
        (["NotBestEffort", "NotTerminating"], [], {}, False),
        (["PriorityClass"], [], {}, False),
        ([], [asks("In", "high")], {"priorityClassName": "high"}, True),
        ([], [asks("NotIn", "high")], {"priorityClassName": "high"}, False),
        ([], [asks("DoesNotExist")], {}, True),
        (["CrossNamespacePodAffinity"], [], {"affinity": NEIGHBOUR}, True),
        (["CrossNamespacePodAffinity"], [], {}, False),
    ],
)
def test_scopes(scopes: list[str], asked: Any, spec: Any, expected: bool) -> None:
    limiting: Any = {"spec": {"scopes": scopes, "scopeSelector": {"matchExpressions": asked}}}
    assert selects(limiting, "pods", {"spec": spec, "status": {"qosClass": "BestEffort"}}) is expected
    assert selects(limiting, "services", {}) is not bool(scopes or asked)


@pytest.fixture
def sim() -> Simulation:
    return Simulation([quota.controller(KINDS)])


def add(sim: Simulation, kind: Any, name: str, **body: Any) -> None:
    sim.api.add({"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name}, **body})
    sim.settle()


def status(sim: Simulation) -> Any:
    return sim.api.find(RESOURCE_QUOTA, "q")["status"]


def test_what_is_used_follows_what_is_there(sim: Simulation) -> None:
    add(sim, RESOURCE_QUOTA, "q", spec={"hard": {"pods": "2", "requests.cpu": "1", "configmaps": "5"}})
    assert status(sim) == {
        "hard": {"pods": "2", "requests.cpu": "1", "configmaps": "5"},
        "used": {"pods": "0", "requests.cpu": "0", "configmaps": "0"},
    }
    add(sim, POD, "a", spec={"containers": [container({"cpu": "250m"})]})
    add(sim, CONFIG_MAP, "m")
    add(sim, SERVICE, "s", spec={})
    assert status(sim)["used"] == {"pods": "1", "requests.cpu": "250m", "configmaps": "1"}
    sim.api.remove(sim.api.find(POD, "a"))
    sim.settle()
    assert status(sim)["used"] == {"pods": "0", "requests.cpu": "0", "configmaps": "1"}


def test_a_quota_of_quotas_counts_itself(sim: Simulation) -> None:
    add(sim, RESOURCE_QUOTA, "q", spec={"hard": {"resourcequotas": "3"}})
    assert status(sim)["used"] == {"resourcequotas": "1"}
    add(sim, RESOURCE_QUOTA, "r", spec={"hard": {"pods": "3"}})
    assert status(sim)["used"] == {"resourcequotas": "2"}
