"""PodSecurity and the audit log, as kubectl and who reads the log see them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.clients.kube_case import becomes
from tests.clients.kubectl import Kubectl

pytestmark = [pytest.mark.clients, pytest.mark.root]
MODE = "pod-security.kubernetes.io"
VIOLATED = (
    'PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "{0}" must set '
    'securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "{0}" must set '
    'securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "{0}" must set '
    'securityContext.runAsNonRoot=true), seccompProfile (pod or container "{0}" must set '
    'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
)


def audited(kubectl: Kubectl, **wanted: str) -> list[dict[str, Any]]:
    """Return the audited events of the namespace whose objectRef, or the event itself, says what is wanted."""
    lines = (kubectl.kubeconfig.parent / "root/clusters/default/audit.log").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    here = [each for each in events if each.get("objectRef", {}).get("namespace") == kubectl.namespace]
    return [each for each in here if wanted.items() <= {**each, **each["objectRef"]}.items()]


def test_a_restricted_namespace_refuses_warns_and_is_audited(kubectl: Kubectl) -> None:
    space = kubectl.namespace
    kubectl("label", "namespace", space, f"{MODE}/enforce=restricted", f"{MODE}/warn=restricted")
    refused = kubectl.run("run", "x", "--image=busybox:1")
    assert refused.returncode == 1
    message = f'pods "x" is forbidden: violates {VIOLATED.format("x")}'
    assert refused.stderr == f"Error from server (Forbidden): {message}\n"
    made = kubectl.run("create", "deployment", "web", "--image=busybox:1")
    assert made.returncode == 0
    assert made.stderr.strip() == f"Warning: would violate {VIOLATED.format('busybox')}"

    def failed() -> bool:
        told = kubectl("get", "events", "--field-selector=reason=FailedCreate", "-o", "jsonpath={.items[*].message}")
        return "is forbidden: violates PodSecurity" in told

    becomes(failed, True)
    becomes(lambda: len(audited(kubectl, resource="pods", name="x", verb="create")), 1)
    (event,) = audited(kubectl, resource="pods", name="x", verb="create")
    assert event["user"]["username"] == "kubernetes-admin"
    assert event["userAgent"].startswith("kubectl")
    assert (event["responseStatus"]["code"], event["responseStatus"]["message"]) == (403, message)
    assert event["annotations"][f"{MODE}/enforce-policy"] == "restricted:latest"
    assert audited(kubectl, verb="list") == audited(kubectl, resource="events") == []
    wrong = kubectl.run("label", "namespace", space, f"{MODE}/audit=strict")
    assert f'metadata.labels[{MODE}/audit]: Invalid value: "strict": must be one of privileged, ' in wrong.stderr


def test_a_stricter_namespace_warns_of_the_pods_it_has(kubectl: Kubectl) -> None:
    kubectl("run", "old", "--image=busybox:1", "--", "sleep", "1000")
    done = kubectl.run("label", "namespace", kubectl.namespace, f"{MODE}/enforce=restricted")
    assert done.stderr.splitlines() == [
        f'Warning: existing pods in namespace "{kubectl.namespace}" violate the new PodSecurity enforce level '
        '"restricted:latest"',
        "Warning: old: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, "
        "seccompProfile",
    ]
    kubectl("label", "pod", "old", "a=b")
    kubectl("wait", "pod/old", "--for=condition=Ready", "--timeout=30s")
    kubectl("exec", "old", "--", "true")

    def ends() -> list[int]:
        executed = audited(kubectl, subresource="exec", name="old", stage="ResponseComplete")
        return [each["responseStatus"]["code"] for each in executed]

    becomes(ends, [101])
    kubectl("delete", "pod", "old", "--now")


def test_a_labelled_role_is_part_of_the_role_that_selects_it(kubectl: Kubectl) -> None:
    name = kubectl.namespace
    selector = f"--aggregation-rule=rbac.example.com/part-of={name}"
    assert kubectl("create", "clusterrole", name, selector).endswith(f"{name} created\n")
    kubectl("create", "rolebinding", "joe", f"--clusterrole={name}", "--user=joe")
    asked = ("auth", "can-i", "--as=joe", "list", "configmaps")
    assert kubectl.run(*asked).stdout == "no\n"
    kubectl("create", "clusterrole", f"{name}-part", "--verb=list", "--resource=configmaps")
    kubectl("label", "clusterrole", f"{name}-part", f"rbac.example.com/part-of={name}")
    becomes(lambda: kubectl.run(*asked).stdout, "yes\n")
    kubectl("label", "clusterrole", f"{name}-part", "rbac.authorization.k8s.io/aggregate-to-view=true")
    kubectl(
        "patch",
        "clusterrole",
        f"{name}-part",
        "-p",
        '{"rules":[{"verbs":["get"],"apiGroups":["x"],"resources":["y"]}]}',
    )
    becomes(lambda: "y.x" in kubectl("describe", "clusterrole", "admin"), True)
    kubectl("delete", "clusterrole", name, f"{name}-part")
    becomes(lambda: "y.x" in kubectl("describe", "clusterrole", "admin"), False)
