"""What controllers write is what a server of this API takes: no unknown field, no wrong value, and no write without end
when the server writes documents in its own form."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.simulation import Api, Simulation, end_pod, is_active, is_ready, run_pod, stamp

from jubako.cluster.controllers.every import controllers
from jubako.cluster.controllers.kinds import (
    CONTROLLER_REVISION,
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    ENDPOINT_SLICE,
    ENDPOINTS,
    EVENT,
    JOB,
    LEASE,
    NAMESPACE,
    NODE,
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    REPLICA_SET,
    SERVICE,
    STATEFUL_SET,
    STORAGE_CLASS,
    key_of,
    kind_of,
)
from jubako.cluster.types.decoding.body import conform
from jubako.cluster.types.defaulting import default
from jubako.cluster.types.resources import kind as served
from jubako.cluster.types.validation import validate, validate_status_update, validate_update
from jubako.errors import InvalidArgument

KINDS = [
    *(CONTROLLER_REVISION, CRON_JOB, DAEMON_SET, DEPLOYMENT, ENDPOINT_SLICE, ENDPOINTS, JOB, PERSISTENT_VOLUME_CLAIM),
    *(EVENT, POD, POD_DISRUPTION_BUDGET, REPLICA_SET, SERVICE, STATEFUL_SET),
]
LABELS = {"app": "web"}


class ServerApi(Api):
    """Decodes, defaults and checks each document as the server does, and gives Jobs their selectors."""

    def _store(self, type_: Any, document: dict[str, Any]) -> dict[str, Any]:
        if document["kind"] == "Job" and "selector" not in document["spec"]:
            own = {"batch.kubernetes.io/controller-uid": document["metadata"]["uid"]}
            document["spec"]["selector"] = {"matchLabels": own}
            document["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {}).update(own)
        found = served(document["apiVersion"], document["kind"])
        assert found is not None
        written, _ = conform(found, document, "Strict")
        default(found, written)
        old = self.objects.get((kind_of(document), key_of(document)))
        if old is None:
            errors = validate(found, written)
        elif old.get("spec") == written.get("spec") and old.get("status") != written.get("status"):
            errors = validate_status_update(found, written, old)
        elif found.name == "Pod" and "nodeName" not in old["spec"]:
            errors = validate(found, written)  # a binding, which is no update
        else:
            errors = validate_update(found, written, old)
        if errors and type_ != "DELETED":
            raise InvalidArgument(f"{document['kind']}: {'; '.join(map(str, errors))}")
        return super()._store(type_, dict(written))


@pytest.fixture
def sim() -> Simulation:
    found = Simulation(controllers(KINDS, "PEM"))
    found.api = ServerApi(found.clock)
    found.restart()
    space = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "default"},
        "spec": {"finalizers": ["kubernetes"]},
    }
    found.api.add(space)
    report = [
        {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": stamp(found.clock.time)}
    ]
    status = {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "110"}, "conditions": report}
    found.api.add({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-1"}, "status": status})
    found.api.add(
        {
            "apiVersion": STORAGE_CLASS.api_version,
            "kind": STORAGE_CLASS.name,
            "metadata": {"name": "local"},
            "provisioner": "jubako.io/local",
            "parameters": {"path": "/volumes"},
            "volumeBindingMode": "WaitForFirstConsumer",
        }
    )
    return found


def template(restart: str = "Always", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "containerPort": 8080}]
    container = {"name": "main", "image": "app:1", "ports": ports, "resources": {"requests": {"cpu": "100m"}}}
    return {"metadata": {"labels": LABELS}, "spec": {"containers": [container], "restartPolicy": restart, **spec}}


def add(sim: Simulation, kind: Any, name: str, **spec: Any) -> None:
    metadata = {"name": name, "namespace": "default"}
    sim.api.add({"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": spec})


def turn(sim: Simulation) -> None:
    """The node runs what is bound to it and ends what is to go; time passes, and the node's lease with it."""
    for pod in sim.api.all(POD):
        if "deletionTimestamp" in pod["metadata"]:
            sim.api.gone(pod)
        elif pod["spec"].get("nodeName") and is_active(pod) and not is_ready(pod):
            run_pod(sim.api, pod)
    sim.settle(5000)


def rest(sim: Simulation) -> None:
    for _ in range(12):
        turn(sim)
    before = sim.api.revision
    sim.restart()
    sim.settle(5000)
    later = [change.object for change in sim.api.log if change.revision > before]
    assert [(each["kind"], each.get("message")) for each in later] == []


def refused(sim: Simulation) -> list[str]:
    return [message for type_, _, message in sim.api.events() if type_ == "Warning"]


def test_a_deployment_behind_a_service_with_a_budget(sim: Simulation) -> None:
    selector = {"matchLabels": LABELS}
    add(sim, SERVICE, "web", selector=LABELS, clusterIP="10.96.0.10", ports=[{"port": 80, "targetPort": "http"}])
    add(sim, POD_DISRUPTION_BUDGET, "web", selector=selector, maxUnavailable=1)
    add(sim, DEPLOYMENT, "web", selector=selector, template=template(), replicas=3)
    rest(sim)
    assert sim.api.find(DEPLOYMENT, "web")["status"]["availableReplicas"] == 3
    assert sum(len(each["endpoints"]) for each in sim.api.all(ENDPOINT_SLICE)) == 3
    assert len(sim.api.all(ENDPOINTS)[0]["subsets"][0]["addresses"]) == 3
    assert sim.api.find(POD_DISRUPTION_BUDGET, "web")["status"]["disruptionsAllowed"] == 1

    def renew(each: dict[str, Any]) -> None:
        each["spec"]["template"]["spec"]["containers"][0]["image"] = "app:2"

    sim.api.edit(DEPLOYMENT, "web", renew)
    rest(sim)
    assert {pod["spec"]["containers"][0]["image"] for pod in sim.api.all(POD)} == {"app:2"}
    assert refused(sim) == []


def test_a_stateful_set_with_claims(sim: Simulation) -> None:
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "local",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    policy = {"whenDeleted": "Delete", "whenScaled": "Delete"}
    add(
        sim,
        STATEFUL_SET,
        "db",
        serviceName="db",
        selector={"matchLabels": LABELS},
        template=template(),
        replicas=2,
        volumeClaimTemplates=[claim],
        persistentVolumeClaimRetentionPolicy=policy,
    )
    rest(sim)
    assert sim.api.find(STATEFUL_SET, "db")["status"]["readyReplicas"] == 2
    assert len(sim.api.all(PERSISTENT_VOLUME)) == 2
    sim.api.edit(STATEFUL_SET, "db", lambda each: each["spec"].update(replicas=1))
    rest(sim)
    assert [each["metadata"]["name"] for each in sim.api.all(PERSISTENT_VOLUME_CLAIM)] == ["data-db-0"]
    assert refused(sim) == []


def test_a_daemon_set(sim: Simulation) -> None:
    add(sim, DAEMON_SET, "agent", selector={"matchLabels": LABELS}, template=template())
    rest(sim)
    assert sim.api.find(DAEMON_SET, "agent")["status"]["numberReady"] == 1
    assert refused(sim) == []


@pytest.mark.parametrize("mode", ["NonIndexed", "Indexed"])
def test_jobs(sim: Simulation, mode: str) -> None:
    add(
        sim,
        JOB,
        "j",
        template=template("Never"),
        completions=2,
        parallelism=2,
        completionMode=mode,
    )
    rest(sim)
    for pod in sim.api.all(POD):
        end_pod(sim.api, pod, "Succeeded")
    rest(sim)
    status = sim.api.find(JOB, "j")["status"]
    assert status["succeeded"] == 2
    assert [each["type"] for each in status["conditions"]] == ["SuccessCriteriaMet", "Complete"]
    assert refused(sim) == []


def test_a_cron_job(sim: Simulation) -> None:
    job = {"spec": {"template": template("Never")}}
    add(sim, CRON_JOB, "c", schedule="*/5 * * * *", jobTemplate=job)
    sim.settle()
    sim.clock.time += 301
    beat = [{"type": "Ready", "status": "True", "lastHeartbeatTime": stamp(sim.clock.time)}]
    sim.api.change(sim.api.find(NODE, "node-1"), conditions=beat)
    rest(sim)
    (made,) = sim.api.all(JOB)
    assert made["metadata"]["ownerReferences"][0]["name"] == "c"
    assert refused(sim) == []


def test_a_namespace_goes_with_all_that_is_in_it(sim: Simulation) -> None:
    add(sim, DEPLOYMENT, "web", selector={"matchLabels": LABELS}, template=template(), replicas=2)
    rest(sim)
    sim.api.remove(sim.api.find(NAMESPACE, "default"))
    for _ in range(6):
        turn(sim)
    assert {kind for kind, _ in sim.api.objects} == {NODE, STORAGE_CLASS}


def test_a_node_that_falls_silent(sim: Simulation) -> None:
    lease = {"name": "node-1", "namespace": "kube-node-lease"}
    spec = {"holderIdentity": "node-1", "renewTime": stamp(sim.clock.time).replace("Z", ".000000Z")}
    sim.api.add({"apiVersion": LEASE.api_version, "kind": LEASE.name, "metadata": lease, "spec": spec})
    sim.settle()
    sim.advance(60)
    taints = [each["key"] for each in sim.api.find(NODE, "node-1")["spec"]["taints"]]
    assert taints == ["node.kubernetes.io/unreachable"] * 2
    assert refused(sim) == []
