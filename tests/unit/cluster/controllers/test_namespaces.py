from __future__ import annotations

import pytest
from tests.unit.cluster.simulation import Simulation

from jubako.cluster.controllers import accounts, namespaces
from jubako.cluster.controllers.kinds import CONFIG_MAP, EVENT, NAMESPACE, POD, SERVICE_ACCOUNT

KINDS = [POD, CONFIG_MAP, SERVICE_ACCOUNT, EVENT]


@pytest.fixture
def sim() -> Simulation:
    found = Simulation([namespaces.controller(KINDS), accounts.ACCOUNTS, accounts.root_ca("PEM")])
    metadata = {"name": "n"}
    found.api.add(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, "spec": {"finalizers": ["kubernetes"]}}
    )
    found.settle()
    return found


def test_each_namespace_has_a_default_account_and_the_authority_s_certificate(sim: Simulation) -> None:
    assert sim.api.find(SERVICE_ACCOUNT, "default", "n")
    assert sim.api.find(CONFIG_MAP, "kube-root-ca.crt", "n")["data"] == {"ca.crt": "PEM"}


def test_they_come_back_when_they_are_deleted_or_changed(sim: Simulation) -> None:
    sim.api.remove(sim.api.find(SERVICE_ACCOUNT, "default", "n"))
    sim.api.edit(CONFIG_MAP, "kube-root-ca.crt", lambda each: each.update(data={"ca.crt": "forged"}), "n")
    sim.settle()
    assert sim.api.find(SERVICE_ACCOUNT, "default", "n")
    assert sim.api.find(CONFIG_MAP, "kube-root-ca.crt", "n")["data"] == {"ca.crt": "PEM"}


def test_a_namespace_that_is_deleted_takes_everything_with_it_and_waits_for_finalizers(sim: Simulation) -> None:
    metadata = {"name": "p", "namespace": "n", "finalizers": ["x.io/slow"]}
    sim.api.add({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}})
    sim.api.add({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "n"}})
    sim.api.remove(sim.api.find(NAMESPACE, "n"))
    sim.settle()
    known = sim.api.find(NAMESPACE, "n")
    assert known["status"]["phase"] == "Terminating"
    conditions = {each["type"]: (each["status"], each["message"]) for each in known["status"]["conditions"]}
    assert conditions["NamespaceContentRemaining"] == (
        "True",
        "Some resources are remaining: pods. has 1 resource instances",
    )
    assert conditions["NamespaceFinalizersRemaining"] == (
        "True",
        "Some content in the namespace has finalizers remaining: x.io/slow in 1 resource instances",
    )
    assert sim.api.all(CONFIG_MAP, "n") == []
    sim.api.edit(POD, "p", lambda each: each["metadata"].update(finalizers=[]), "n")
    sim.settle()
    assert sim.api.all(NAMESPACE) == []
    assert [each for (_, key), each in sim.api.objects.items() if key.namespace == "n"] == []


def test_other_namespaces_are_left_alone(sim: Simulation) -> None:
    spec = {"finalizers": ["kubernetes"]}
    sim.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}, "spec": spec})
    sim.settle()
    sim.api.remove(sim.api.find(NAMESPACE, "n"))
    sim.settle()
    assert sim.api.find(CONFIG_MAP, "kube-root-ca.crt", "other")
