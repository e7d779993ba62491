"""kubectl apply --server-side, and who owns which field, as kubectl tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.kubectl import NEW, Kubectl, in_new_namespace, program

pytestmark = [pytest.mark.clients, pytest.mark.root]


@pytest.fixture(scope="module")
def kubectl(kubeconfig: Path) -> Iterator[Kubectl]:
    """Today's: the old one knows no way to show managed fields."""
    with in_new_namespace(program(NEW), kubeconfig, "applied") as client:
        yield client


def configmap(name: str, **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})


def managed(kubectl: Kubectl, *what: str) -> dict[tuple[str, str, str], Any]:
    """The sets by manager, operation and subresource."""
    found = json.loads(kubectl("get", *what, "-o", "json", "--show-managed-fields"))["metadata"].get(
        "managedFields", []
    )
    return {(each["manager"], each["operation"], each.get("subresource", "")): each["fieldsV1"] for each in found}


def test_managed_fields_are_kept_and_shown_on_demand_only(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "m", "--from-literal=k=v", "--field-manager=somebody")
    assert "managedFields" not in kubectl("get", "configmap", "m", "-o", "yaml")
    assert managed(kubectl, "configmap", "m") == {("somebody", "Update", ""): {"f:data": {".": {}, "f:k": {}}}}
    kubectl("label", "configmap", "m", "a=b")
    assert managed(kubectl, "configmap", "m")["kubectl-label", "Update", ""] == {
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}}
    }


def test_apply_makes_changes_and_gives_up(kubectl: Kubectl) -> None:
    def apply(**data: str) -> str:
        return kubectl("apply", "--server-side", "-f", "-", input=configmap("s", **data))

    assert apply(a="1", b="1") == "configmap/s serverside-applied\n"
    version = kubectl("get", "configmap", "s", "-o", "jsonpath={.metadata.resourceVersion}")
    assert apply(a="1", b="1") == "configmap/s serverside-applied\n"
    assert kubectl("get", "configmap", "s", "-o", "jsonpath={.metadata.resourceVersion}") == version
    apply(a="2")
    assert json.loads(kubectl("get", "configmap", "s", "-o", "json"))["data"] == {"a": "2"}
    assert managed(kubectl, "configmap", "s") == {("kubectl", "Apply", ""): {"f:data": {"f:a": {}}}}


def test_conflicts_are_told_and_forced(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "c", "--image=busybox", "--replicas=0")
    document: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "c"}}
    wanted = json.dumps({**document, "spec": {"replicas": 0, "paused": True}})
    kubectl("apply", "--server-side", "-f", "-", input=wanted)
    wanted = json.dumps({**document, "spec": {"replicas": 0, "progressDeadlineSeconds": 30}})
    done = kubectl.run("apply", "--server-side", "-f", "-", input=wanted)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1,
        'error: Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: '
        ".spec.progressDeadlineSeconds",
    )
    kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=wanted)
    owned = managed(kubectl, "deployment", "c")
    assert owned["kubectl", "Apply", ""] == {"f:spec": {"f:progressDeadlineSeconds": {}, "f:replicas": {}}}
    assert "f:progressDeadlineSeconds" not in owned["kubectl-create", "Update", ""]["f:spec"]


def test_a_scale_is_told_as_one(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "scaled", "--image=busybox", "--replicas=0")
    kubectl("patch", "deployment", "scaled", "-p", '{"spec":{"paused":true}}')
    kubectl("scale", "deployment", "scaled", "--replicas=1")
    assert managed(kubectl, "deployment", "scaled")["kubectl", "Update", "scale"] == {"f:spec": {"f:replicas": {}}}
    kubectl("delete", "deployment", "scaled")


def test_dry_runs_and_diffs_change_nothing(kubectl: Kubectl) -> None:
    done = kubectl("apply", "--server-side", "--dry-run=server", "-f", "-", input=configmap("d", a="1"))
    assert done == "configmap/d serverside-applied (server dry run)\n"
    assert "NotFound" in kubectl.refused("get", "configmap", "d")
    kubectl("apply", "--server-side", "-f", "-", input=configmap("d", a="1"))
    assert kubectl.run("diff", "--server-side", "-f", "-", input=configmap("d", a="1")).stdout == ""
    differing = kubectl.run("diff", "--server-side", "-f", "-", input=configmap("d", a="2"))
    assert differing.returncode == 1
    assert {'-  a: "1"', '+  a: "2"'} <= set(differing.stdout.splitlines())
    assert kubectl("get", "configmap", "d", "-o", "jsonpath={.data.a}") == "1"


def test_who_has_applied_in_the_client_goes_over_without_conflict(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", input=configmap("over", a="1", b="1"))
    assert ("kubectl-client-side-apply", "Update", "") in managed(kubectl, "configmap", "over")
    kubectl("apply", "--server-side", "-f", "-", input=configmap("over", a="2"))
    kubectl("apply", "--server-side", "-f", "-", input=configmap("over", a="3"))
    assert json.loads(kubectl("get", "configmap", "over", "-o", "json"))["data"] == {"a": "3"}
    owned = managed(kubectl, "configmap", "over")
    assert not [name for name, *_ in owned if name == "kubectl-client-side-apply"]
    annotations = json.loads(kubectl("get", "configmap", "over", "-o", "json"))["metadata"]["annotations"]
    [said] = annotations.values()
    assert json.loads(said)["data"] == {"a": "3"}


def test_what_can_not_be_applied_is_refused_by_its_path(kubectl: Kubectl) -> None:
    wrong = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "w"}, "date": {}})
    done = kubectl.run("apply", "--server-side", "-f", "-", input=wrong)
    assert done.returncode == 1
    assert done.stderr == (
        "Error from server: failed to create typed patch object (applied/w; /v1, Kind=ConfigMap): .date: field not "
        "declared in schema\n"
    )


def test_managers_are_forgotten_on_demand(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "f", "--from-literal=k=v")
    kubectl("patch", "configmap", "f", "--type=merge", "-p", '{"metadata":{"managedFields":[]}}')
    assert managed(kubectl, "configmap", "f")
    kubectl("patch", "configmap", "f", "--type=merge", "-p", '{"metadata":{"managedFields":[{}]}}')
    assert not managed(kubectl, "configmap", "f")


def test_a_status_is_the_controllers(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "st", "--image=busybox", "--replicas=0")
    kubectl("wait", "deployment/st", "--for=jsonpath={.status.observedGeneration}=1", "--timeout=20s")
    owned = managed(kubectl, "deployment", "st")
    assert set(owned["kube-controller-manager", "Update", "status"]) >= {"f:status"}
    assert "f:observedGeneration" in owned["kube-controller-manager", "Update", "status"]["f:status"]
