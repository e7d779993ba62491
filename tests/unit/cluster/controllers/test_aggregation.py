"""Roles that are made of others."""

from __future__ import annotations

from typing import Any

from tests.unit.cluster.simulation import Simulation

from jubako.cluster.controllers import aggregation
from jubako.cluster.controllers.kinds import CLUSTER_ROLE

PART = {"part": "yes"}


def role(name: str, labels: Any = None, *resources: str, **more: Any) -> dict[str, Any]:
    kind = {"apiVersion": CLUSTER_ROLE.api_version, "kind": CLUSTER_ROLE.name}
    rules = [{"verbs": ["get"], "apiGroups": [""], "resources": [each]} for each in resources]
    return {**kind, "metadata": {"name": name, "labels": labels or {}}, "rules": rules, **more}


def whole(name: str, wanted: dict[str, str], labels: Any = None) -> dict[str, Any]:
    return role(name, labels, "old", aggregationRule={"clusterRoleSelectors": [{"matchLabels": wanted}]})


def resources(simulation: Simulation, name: str) -> list[str]:
    return [rule["resources"][0] for rule in simulation.api.find(CLUSTER_ROLE, name)["rules"]]


def test_a_role_has_the_rules_of_those_it_selects_by_name_and_once() -> None:
    simulation = Simulation([aggregation.CONTROLLER])
    for each in (role("b", PART, "pods"), role("a", PART, "secrets", "pods"), role("c", {}, "nodes")):
        simulation.api.add(each)
    simulation.api.add(whole("all", PART))
    simulation.settle()
    assert resources(simulation, "all") == ["secrets", "pods"]
    simulation.api.remove(simulation.api.find(CLUSTER_ROLE, "a"))
    simulation.settle()
    assert resources(simulation, "all") == ["pods"]


def test_a_part_may_be_made_of_others_itself() -> None:
    simulation = Simulation([aggregation.CONTROLLER])
    simulation.api.add(whole("outer", {"of": "outer"}))
    simulation.api.add(whole("inner", PART, {"of": "outer"}))
    simulation.api.add(role("leaf", PART, "pods"))
    simulation.settle()
    assert resources(simulation, "outer") == ["pods"]


def test_what_aggregates_nothing_is_left_alone() -> None:
    simulation = Simulation([aggregation.CONTROLLER])
    simulation.api.add(role("plain", PART, "pods"))
    before = simulation.api.revision
    simulation.settle()
    assert simulation.api.revision == before
