from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Simulation

from jubako.cluster.controllers import scheduler
from jubako.cluster.controllers.kinds import NODE, PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, POD
from jubako.cluster.controllers.volumes import binder, lifecycle


@pytest.fixture
def sim() -> Simulation:
    found = Simulation([binder.CONTROLLER, lifecycle.CLAIMS, lifecycle.VOLUMES, scheduler.CONTROLLER])
    found.api.add(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "local"},
            "provisioner": "jubako.io/local",
            "parameters": {"path": "/volumes"},
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
        }
    )
    found.api.add(
        {
            "apiVersion": NODE.api_version,
            "kind": NODE.name,
            "metadata": {"name": "node-1"},
            "status": {"allocatable": {"cpu": "1", "pods": "10"}},
        }
    )
    return found


def claim(sim: Simulation, name: str = "c", class_: str = "local", size: str = "1Gi", **spec: Any) -> None:
    wanted = {
        "storageClassName": class_,
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": size}},
        **spec,
    }
    metadata = {"name": name, "finalizers": ["kubernetes.io/pvc-protection"]}
    kind = PERSISTENT_VOLUME_CLAIM
    sim.api.add({"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": wanted})
    sim.settle()


def volume(sim: Simulation, name: str, size: str, class_: str = "", **spec: Any) -> None:
    wanted = {"storageClassName": class_, "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}, **spec}
    kind = PERSISTENT_VOLUME
    sim.api.add({"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name}, "spec": wanted})
    sim.settle()


def pod(sim: Simulation, claim_name: str = "c") -> None:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": claim_name}}]
    sim.api.add({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"volumes": volumes}})
    sim.settle()


def find(sim: Simulation, name: str = "c") -> dict[str, Any]:
    return sim.api.find(PERSISTENT_VOLUME_CLAIM, name)


def test_a_claim_waits_for_its_first_consumer_and_is_then_made_a_directory_on_its_node(sim: Simulation) -> None:
    claim(sim)
    assert find(sim)["status"]["phase"] == "Pending"
    assert sim.api.all(PERSISTENT_VOLUME) == []
    assert (
        "Normal",
        "WaitForFirstConsumer",
        "waiting for first consumer to be created before binding",
    ) in sim.api.events()
    pod(sim)
    (made,) = sim.api.all(PERSISTENT_VOLUME)
    uid = find(sim)["metadata"]["uid"]
    assert made["metadata"]["name"] == f"pvc-{uid}"
    assert made["spec"]["hostPath"]["path"] == f"/volumes/pvc-{uid}_default_c"
    assert made["status"]["phase"] == "Bound"
    assert find(sim)["spec"]["volumeName"] == f"pvc-{uid}"
    assert find(sim)["status"] == {
        "phase": "Bound",
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "1Gi"},
    }
    assert sim.api.find(POD, "p")["spec"]["nodeName"] == "node-1"
    message = f"Successfully provisioned volume pvc-{uid}"
    assert ("Normal", "ProvisioningSucceeded", message) in sim.api.events()


def test_the_smallest_volume_that_suits_is_taken_and_each_only_once(sim: Simulation) -> None:
    volume(sim, "small", "500Mi")
    volume(sim, "large", "10Gi")
    volume(sim, "right", "2Gi")
    volume(sim, "other-class", "1Gi", "fast")
    claim(sim, "one", "")
    claim(sim, "two", "")
    claim(sim, "three", "")
    assert find(sim, "one")["spec"]["volumeName"] == "right"
    assert find(sim, "two")["spec"]["volumeName"] == "large"
    assert find(sim, "three")["status"]["phase"] == "Pending"
    assert "FailedBinding" in [reason for _, reason, _ in sim.api.events()]
    volume(sim, "late", "1Gi")
    assert find(sim, "three")["spec"]["volumeName"] == "late"


def test_a_volume_reserved_for_a_claim_goes_to_no_other(sim: Simulation) -> None:
    volume(sim, "mine", "1Gi", claimRef={"namespace": "default", "name": "wanted"})
    claim(sim, "other", "")
    assert find(sim, "other")["status"]["phase"] == "Pending"
    claim(sim, "wanted", "")
    assert find(sim, "wanted")["spec"]["volumeName"] == "mine"


def test_a_claim_in_use_stays_until_its_pod_is_gone_then_its_volume_is_released_and_deleted(sim: Simulation) -> None:
    claim(sim)
    pod(sim)
    sim.api.remove(find(sim))
    sim.settle()
    assert "deletionTimestamp" in find(sim)["metadata"]
    sim.api.remove(sim.api.find(POD, "p"))
    sim.api.gone(sim.api.find(POD, "p"))
    sim.settle()
    assert sim.api.all(PERSISTENT_VOLUME_CLAIM) == []
    (left,) = sim.api.all(PERSISTENT_VOLUME)
    assert left["status"]["phase"] == "Released"
    assert left["metadata"]["finalizers"] == ["jubako.io/local-data"], "until the node has removed its data"


def test_a_volume_to_be_retained_is_released_and_stays(sim: Simulation) -> None:
    volume(sim, "v", "1Gi", persistentVolumeReclaimPolicy="Retain")
    claim(sim, "c", "")
    sim.api.remove(find(sim))
    sim.settle()
    assert sim.api.find(PERSISTENT_VOLUME, "v")["status"]["phase"] == "Released"
    claim(sim, "d", "")
    assert find(sim, "d")["status"]["phase"] == "Pending", "what somebody's data is on is nobody else's"


def test_a_claim_whose_volume_has_gone_is_lost(sim: Simulation) -> None:
    volume(sim, "v", "1Gi")
    claim(sim, "c", "")
    sim.api.remove(sim.api.find(PERSISTENT_VOLUME, "v"))
    sim.settle()
    assert find(sim)["status"]["phase"] == "Lost"
    assert "ClaimLost" in [reason for _, reason, _ in sim.api.events()]


def test_a_class_that_is_not_there_is_told_of(sim: Simulation) -> None:
    claim(sim, class_="none")
    assert sim.api.events()[-1] == (
        "Warning",
        "ProvisioningFailed",
        'storageclass.storage.k8s.io "none" not found',
    )
