from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import (
    Simulation,
    end_pod,
    is_active,
    is_ready,
    run_pod,
    set_ready,
    template,
    workload,
)

from jubako.cluster.controllers import statefulset
from jubako.cluster.controllers.kinds import CONTROLLER_REVISION, PERSISTENT_VOLUME_CLAIM, POD, STATEFUL_SET

CLAIM = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


@pytest.fixture
def sim() -> Simulation:
    return Simulation([statefulset.CONTROLLER])


def make(sim: Simulation, **spec: Any) -> None:
    wanted = {
        "serviceName": "web",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        **spec,
    }
    sim.api.add(workload(STATEFUL_SET, **wanted))
    sim.settle()


def names(sim: Simulation) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in sim.api.all(POD))


def lasting(sim: Simulation) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in sim.api.all(POD) if is_active(pod))


def status(sim: Simulation) -> dict[str, Any]:
    return sim.api.find(STATEFUL_SET, "web").get("status", {})


def images(sim: Simulation) -> dict[str, str]:
    return {pod["metadata"]["name"]: pod["spec"]["containers"][0]["image"] for pod in sim.api.all(POD)}


def turn(sim: Simulation) -> None:
    """The node starts what is there and ends what is to go."""
    for pod in sim.api.all(POD):
        if "deletionTimestamp" in pod["metadata"]:
            sim.api.gone(pod)
        elif is_active(pod) and not is_ready(pod):
            run_pod(sim.api, pod)
    sim.settle()


def ready(sim: Simulation, **spec: Any) -> None:
    make(sim, **spec)
    for _ in range(12):
        turn(sim)


def edit(sim: Simulation, **spec: Any) -> None:
    sim.api.edit(STATEFUL_SET, "web", lambda each: each["spec"].update(spec))
    sim.settle()


def test_pods_come_in_order_each_after_its_predecessor_is_available(sim: Simulation) -> None:
    make(sim, minReadySeconds=10)
    assert names(sim) == ["web-0"]
    run_pod(sim.api, sim.api.find(POD, "web-0"))
    sim.advance(9)
    assert names(sim) == ["web-0"]
    sim.advance(1)
    assert names(sim) == ["web-0", "web-1"]


def test_parallel_makes_all_at_once(sim: Simulation) -> None:
    make(sim, podManagementPolicy="Parallel")
    assert names(sim) == ["web-0", "web-1", "web-2"]


def test_a_pod_has_its_identity(sim: Simulation) -> None:
    make(sim, ordinals={"start": 5}, volumeClaimTemplates=[CLAIM])
    (pod,) = sim.api.all(POD)
    revision = sim.api.all(CONTROLLER_REVISION)[0]["metadata"]["name"]
    assert pod["metadata"]["name"] == "web-5"
    assert pod["metadata"]["labels"] == {
        "app": "web",
        "statefulset.kubernetes.io/pod-name": "web-5",
        "apps.kubernetes.io/pod-index": "5",
        "controller-revision-hash": revision,
    }
    assert pod["spec"]["hostname"] == "web-5"
    assert pod["spec"]["subdomain"] == "web"
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-5"}}]
    claim = sim.api.find(PERSISTENT_VOLUME_CLAIM, "data-web-5")
    assert claim["metadata"]["labels"] == {"app": "web"}
    assert claim["spec"] == CLAIM["spec"]
    assert ("Normal", "SuccessfulCreate", "create Pod web-5 in StatefulSet web successful") in sim.api.events()
    assert (
        "Normal",
        "SuccessfulCreate",
        "create Claim data-web-5 Pod web-5 in StatefulSet web success",
    ) in sim.api.events()


def test_a_deleted_pod_comes_back_under_its_name_only_when_it_is_gone(sim: Simulation) -> None:
    ready(sim)
    sim.api.remove(sim.api.find(POD, "web-1"))
    sim.settle()
    assert len(names(sim)) == 3
    before = sim.api.find(POD, "web-1")
    assert "deletionTimestamp" in before["metadata"]
    sim.api.gone(before)
    sim.settle()
    assert sim.api.find(POD, "web-1")["metadata"]["uid"] != before["metadata"]["uid"]


def test_a_failed_pod_is_deleted_told_of_and_made_anew(sim: Simulation) -> None:
    ready(sim, replicas=1)
    before = sim.api.find(POD, "web-0")["metadata"]["uid"]
    end_pod(sim.api, sim.api.find(POD, "web-0"), "Failed")
    sim.settle()
    assert sim.api.find(POD, "web-0")["metadata"]["uid"] != before
    assert (
        "Warning",
        "RecreatingFailedPod",
        "StatefulSet default/web is recreating failed Pod web-0",
    ) in sim.api.events()


def test_scaling_down_goes_from_the_highest_one_at_a_time(sim: Simulation) -> None:
    ready(sim)
    edit(sim, replicas=1)
    assert lasting(sim) == ["web-0", "web-1"]
    sim.api.gone(sim.api.find(POD, "web-2"))
    sim.settle()
    assert lasting(sim) == ["web-0"]


def test_scaling_down_waits_while_another_is_not_well(sim: Simulation) -> None:
    ready(sim)
    set_ready(sim.api, sim.api.find(POD, "web-0"), False)
    sim.settle()
    edit(sim, replicas=1)
    assert lasting(sim) == ["web-0", "web-1", "web-2"]


def test_scaling_down_waits_for_nobody_who_has_ended(sim: Simulation) -> None:
    make(sim, replicas=3, podManagementPolicy="Parallel")
    turn(sim)
    sim.settle()
    sim.api.edit(STATEFUL_SET, "web", lambda each: each["spec"].update(podManagementPolicy="OrderedReady", replicas=0))
    for name in ("web-0", "web-2"):
        end_pod(sim.api, sim.api.find(POD, name), "Failed")
    for _ in range(4):
        sim.settle()
        turn(sim)
    assert names(sim) == []


def test_an_update_goes_from_the_highest_each_after_the_one_before_is_well(sim: Simulation) -> None:
    ready(sim)
    first = status(sim)["currentRevision"]
    edit(sim, template=template("app:2"))
    assert lasting(sim) == ["web-0", "web-1"]
    assert status(sim)["currentRevision"] == first
    assert status(sim)["updateRevision"] != first
    sim.api.gone(sim.api.find(POD, "web-2"))
    sim.settle()
    assert lasting(sim) == ["web-0", "web-1", "web-2"], "web-1 waits for web-2"
    assert images(sim)["web-2"] == "app:2"
    for _ in range(6):
        turn(sim)
    assert set(images(sim).values()) == {"app:2"}
    assert status(sim)["currentRevision"] == status(sim)["updateRevision"] != first
    assert status(sim) == {
        "observedGeneration": 2,
        "replicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "currentRevision": status(sim)["updateRevision"],
        "updateRevision": status(sim)["updateRevision"],
        "collisionCount": 0,
    }


def test_beneath_the_partition_pods_stay_and_come_back_as_they_were(sim: Simulation) -> None:
    ready(sim)
    edit(sim, template=template("app:2"), updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    for _ in range(6):
        turn(sim)
    assert images(sim) == {"web-0": "app:1", "web-1": "app:1", "web-2": "app:2"}
    sim.api.remove(sim.api.find(POD, "web-0"))
    for _ in range(3):
        turn(sim)
    assert images(sim)["web-0"] == "app:1"


@pytest.mark.parametrize(
    ("most", "first"), [(2, ["web-0", "web-1"]), ("75%", ["web-0"]), ("1%", ["web-0", "web-1", "web-2"])]
)
def test_an_update_takes_as_many_away_as_may_be(sim: Simulation, most: int | str, first: list[str]) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": most}}
    ready(sim, replicas=4, podManagementPolicy="Parallel", updateStrategy=strategy)
    edit(sim, template=template("app:2"))
    assert lasting(sim) == first
    for _ in range(12):
        turn(sim)
    assert set(images(sim).values()) == {"app:2"}


def test_what_is_unwell_counts_among_what_may_be_away(sim: Simulation) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 2}}
    ready(sim, replicas=4, podManagementPolicy="Parallel", updateStrategy=strategy)
    set_ready(sim.api, sim.api.find(POD, "web-0"), False)
    edit(sim, template=template("app:2"))
    assert lasting(sim) == ["web-0", "web-1", "web-2"]


def test_on_delete_updates_only_what_somebody_deletes(sim: Simulation) -> None:
    ready(sim, updateStrategy={"type": "OnDelete"})
    edit(sim, template=template("app:2"))
    assert lasting(sim) == ["web-0", "web-1", "web-2"]
    sim.api.remove(sim.api.find(POD, "web-1"))
    for _ in range(3):
        turn(sim)
    assert images(sim) == {"web-0": "app:1", "web-1": "app:2", "web-2": "app:1"}


def test_a_return_to_an_old_template_uses_its_revision_again(sim: Simulation) -> None:
    ready(sim, replicas=1)
    first = status(sim)["updateRevision"]
    for image in ("app:2", "app:1"):
        edit(sim, template=template(image))
        for _ in range(4):
            turn(sim)
    assert status(sim)["updateRevision"] == first
    assert sorted(each["revision"] for each in sim.api.all(CONTROLLER_REVISION)) == [2, 3]


def test_revisions_beyond_the_limit_go(sim: Simulation) -> None:
    ready(sim, replicas=1, revisionHistoryLimit=1)
    for number in range(2, 6):
        edit(sim, template=template(f"app:{number}"))
        for _ in range(4):
            turn(sim)
    assert sorted(each["revision"] for each in sim.api.all(CONTROLLER_REVISION)) == [4, 5]


@pytest.mark.parametrize(
    ("when_deleted", "when_scaled", "kept", "condemned"),
    [
        ("Retain", "Retain", [], []),
        ("Delete", "Retain", ["StatefulSet"], ["StatefulSet"]),
        ("Retain", "Delete", [], ["Pod"]),
        ("Delete", "Delete", ["StatefulSet"], ["Pod"]),
    ],
)
def test_claims_belong_to_what_they_are_to_go_with(
    sim: Simulation, when_deleted: str, when_scaled: str, kept: list[str], condemned: list[str]
) -> None:
    policy = {"whenDeleted": when_deleted, "whenScaled": when_scaled}
    ready(sim, replicas=2, volumeClaimTemplates=[CLAIM], persistentVolumeClaimRetentionPolicy=policy)
    edit(sim, replicas=1)

    def owners(name: str) -> list[str]:
        metadata = sim.api.find(PERSISTENT_VOLUME_CLAIM, name)["metadata"]
        return [each["kind"] for each in metadata.get("ownerReferences", [])]

    assert owners("data-web-0") == kept
    assert owners("data-web-1") == condemned


def test_no_pod_is_made_while_the_claim_of_its_predecessor_is_being_deleted(sim: Simulation) -> None:
    ready(sim, replicas=1, volumeClaimTemplates=[CLAIM])
    sim.api.edit(
        PERSISTENT_VOLUME_CLAIM,
        "data-web-0",
        lambda each: each["metadata"].update(finalizers=["kubernetes.io/pvc-protection"]),
    )
    sim.api.remove(sim.api.find(PERSISTENT_VOLUME_CLAIM, "data-web-0"))
    sim.api.remove(sim.api.find(POD, "web-0"))
    for _ in range(3):
        turn(sim)
    assert names(sim) == []
    sim.api.edit(PERSISTENT_VOLUME_CLAIM, "data-web-0", lambda each: each["metadata"].update(finalizers=[]))
    sim.settle()
    assert names(sim) == ["web-0"]


def test_a_pod_of_its_name_that_is_not_its_own_is_never_touched(sim: Simulation) -> None:
    sim.api.add(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "labels": {"app": "other"}}, "spec": {}}
    )
    make(sim)
    sim.advance(5)
    assert names(sim) == ["web-0"]
    assert sim.api.find(POD, "web-0")["metadata"]["labels"] == {"app": "other"}
