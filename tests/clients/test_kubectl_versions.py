"""Versions of the API that kubectl of 2021 knows beside today's, and what both ask of evictions and tokens."""

from __future__ import annotations

import json

import pytest
from tests.clients.kube_case import becomes, read
from tests.clients.kubectl import Kubectl, columns

pytestmark = [pytest.mark.clients, pytest.mark.root]


MADE = {
    "deployment/o": ("deployment", "o", "--image=busybox", "--replicas=0"),
    "cronjob/o": ("cronjob", "o", "--image=busybox", "--schedule=0 0 1 1 *", "--", "true"),
    "job/o": ("job", "o", "--image=busybox", "--", "true"),
    "poddisruptionbudget/o": ("poddisruptionbudget", "o", "--selector=app=o", "--min-available=1"),
    "configmap/o": ("configmap", "o", "--from-literal=a=b"),
    "secret/o": ("secret", "generic", "o", "--from-literal=a=b"),
    "serviceaccount/o": ("serviceaccount", "o"),
    "service/o": ("service", "clusterip", "o", "--tcp=80"),
    "role/o": ("role", "o", "--verb=get", "--resource=pods"),
    "rolebinding/o": ("rolebinding", "o", "--role=o", "--serviceaccount=default:o"),
    "clusterrole/o": ("clusterrole", "o", "--verb=get", "--resource=nodes"),
    "clusterrolebinding/o": ("clusterrolebinding", "o", "--clusterrole=o", "--user=u"),
    "priorityclass/o": ("priorityclass", "o", "--value=10"),
}


def run(kubectl: Kubectl, name: str, *options: str) -> None:
    """Run a pod that sleeps, in a namespace that has just been made."""
    assert any(kubectl.run("get", "serviceaccount", "default").returncode == 0 for _ in range(100))
    kubectl("run", name, "--image=busybox:1", *options, "--", "sleep", "1234")
    kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")


@pytest.mark.parametrize("what", MADE)
def test_each_makes_gets_describes_and_deletes_each_kind(kubectl: Kubectl, what: str) -> None:
    assert kubectl("create", *MADE[what]).endswith(" created\n")
    assert columns(kubectl("get", what))[1][0] == "o"
    assert kubectl.read(what)["metadata"]["name"] == "o"
    described = kubectl.run("describe", what)
    assert (described.returncode, described.stderr) == (0, "")
    assert columns(described.stdout)[0] == ["Name:", "o"]
    assert kubectl("delete", what).endswith(" deleted\n")


def test_what_has_an_older_version_is_seen_in_both(kubectl: Kubectl) -> None:
    kubectl("create", "service", "clusterip", "sliced", "--tcp=80")
    kubectl("get", "endpointslices.v1beta1.discovery.k8s.io")
    kubectl("describe", "endpointslices")
    kubectl("get", "events.v1beta1.events.k8s.io")
    kubectl("create", "poddisruptionbudget", "seen", "--selector=app=o", "--min-available=1")
    for version in ("v1", "v1beta1"):
        found = kubectl.read(f"poddisruptionbudgets.{version}.policy", "seen")
        assert (found["apiVersion"], found["spec"]["minAvailable"]) == (f"policy/{version}", 1)


def test_a_pod_of_two_budgets_is_not_evicted(kubectl: Kubectl) -> None:
    run(kubectl, "twice", "--labels=app=twice")
    for name in ("one", "two"):
        kubectl("create", "poddisruptionbudget", name, "--selector=app=twice", "--max-unavailable=1")
    node = kubectl.one(".spec.nodeName", "pod", "twice")
    done = kubectl.run("drain", node, "--force", "--pod-selector=app=twice", "--timeout=3s")
    kubectl("uncordon", node)
    assert done.returncode == 1
    assert "This pod has more than one PodDisruptionBudget, which the eviction subresource does not" in done.stderr


def test_who_has_a_token_may_have_the_key_that_it_is_verified_with(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "key")
    [key] = json.loads(kubectl("get", "--raw", "/openid/v1/jwks"))["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("EC", "ES256", "sig")
    found = json.loads(kubectl("get", "--raw", "/.well-known/openid-configuration"))
    assert found["jwks_uri"].endswith("/openid/v1/jwks")
    account = (f"--as=system:serviceaccount:{kubectl.namespace}:key", "--as-group=system:serviceaccounts")
    assert json.loads(kubectl("get", "--raw", "/openid/v1/jwks", *account))["keys"] == [key]
    assert "Forbidden" in kubectl.refused("get", "--raw", "/openid/v1/jwks", "--as=somebody")


def test_a_container_is_put_into_a_pod_that_runs_and_sees_its_processes(kubectl: Kubectl) -> None:
    if kubectl.is_old:
        pytest.skip("kubectl 1.20 asks for ephemeral containers in a form that went before they were stable")
    run(kubectl, "seen")
    kubectl("debug", "seen", "--image=busybox:1", "-c", "looks", "--target=seen", "--", "sh", "-c", "ps; exit 3")
    kubectl(
        "wait", "pod/seen", "--for=jsonpath={.status.ephemeralContainerStatuses[0].state.terminated.exitCode}=3",
        "--timeout=20s",
    )  # fmt: skip
    assert "sleep 1234" in kubectl("logs", "seen", "-c", "looks")
    kubectl("debug", "seen", "--image=busybox:1", "-c", "stays", "--", "sleep", "1000")
    becomes(lambda: len(read(kubectl, "pod", "seen")["status"]["ephemeralContainerStatuses"]), 2)
    running = "jsonpath={.status.ephemeralContainerStatuses[1].state.running.startedAt}"
    kubectl("wait", "pod/seen", f"--for={running}", "--timeout=20s")
    assert kubectl("exec", "seen", "-c", "stays", "--", "echo", "in").strip() == "in"
    refused = kubectl.run("debug", "seen", "--image=busybox:1", "--target=nobody", "--", "true")
    assert 'targetContainerName: Not found: "nobody"' in refused.stderr
    assert kubectl("get", "pod", "seen", "--no-headers").split()[1:3] == ["1/1", "Running"]
