"""What kubectl of 2021 asks for in versions that it knows, and what it and today's do about disruption budgets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.clients.test_kubectl import Kubectl, columns, kubectl

__all__ = ["kubectl"]
pytestmark = [pytest.mark.clients, pytest.mark.root]
OLD = Path(sys.prefix) / "opt/kubernetes-client/usr/bin/kubectl"


class OldKubectl(Kubectl):
    def run(self, *arguments: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(OLD), *arguments], capture_output=True, text=True, timeout=60, env=self._env, input=input, check=False
        )


@pytest.fixture
def old(kubectl: Kubectl) -> OldKubectl:
    if not OLD.exists():
        pytest.skip("needs Debian's kubernetes-client unpacked, as ./dev clients does it")
    return OldKubectl(Path(kubectl._env["KUBECONFIG"]), Path(kubectl._env["HOME"]))


MADE = {
    "deployment/o": ("deployment", "o", "--image=busybox", "--replicas=0"),
    "cronjob/o": ("cronjob", "o", "--image=busybox", "--schedule=0 0 1 1 *", "--", "true"),
    "job/o": ("job", "o", "--image=busybox", "--", "true"),
    "poddisruptionbudget/o": ("poddisruptionbudget", "o", "--selector=app=o", "--min-available=1"),
    "configmap/o": ("configmap", "o", "--from-literal=a=b"),
    "secret/o": ("secret", "generic", "o", "--from-literal=a=b"),
    "serviceaccount/o": ("serviceaccount", "o"),
    "namespace/o": ("namespace", "o"),
    "service/o": ("service", "clusterip", "o", "--tcp=80"),
    "role/o": ("role", "o", "--verb=get", "--resource=pods"),
    "rolebinding/o": ("rolebinding", "o", "--role=o", "--serviceaccount=default:o"),
    "clusterrole/o": ("clusterrole", "o", "--verb=get", "--resource=nodes"),
    "clusterrolebinding/o": ("clusterrolebinding", "o", "--clusterrole=o", "--user=u"),
    "priorityclass/o": ("priorityclass", "o", "--value=10"),
}


@pytest.mark.parametrize("what", MADE)
def test_it_makes_gets_describes_and_deletes_each_kind(old: OldKubectl, what: str) -> None:
    assert old("create", *MADE[what]).endswith(" created\n")
    assert columns(old("get", what))[1][0] == "o"
    assert json.loads(old("get", what, "-o", "json"))["metadata"]["name"] == "o"
    described = old.run("describe", what)
    assert (described.returncode, described.stderr) == (0, "")
    assert columns(described.stdout)[0] == ["Name:", "o"]
    assert old("delete", what).endswith(" deleted\n")


def test_it_sees_slices_events_and_budgets_in_its_own_versions(old: OldKubectl, kubectl: Kubectl) -> None:
    old("create", "service", "clusterip", "sliced", "--tcp=80")
    kubectl("wait", "service/sliced", "--for=jsonpath={.spec.clusterIP}", "--timeout=20s")
    old("get", "endpointslices.v1beta1.discovery.k8s.io")
    old("describe", "endpointslices")
    old("get", "events.v1beta1.events.k8s.io")
    old("create", "poddisruptionbudget", "seen", "--selector=app=o", "--min-available=1")
    for version in ("v1", "v1beta1"):
        found = json.loads(old("get", f"poddisruptionbudgets.{version}.policy", "seen", "-o", "json"))
        assert (found["apiVersion"], found["spec"]["minAvailable"]) == (f"policy/{version}", 1)


@pytest.mark.parametrize("by", ["today's", "old"])
def test_a_drain_waits_for_the_budget(kubectl: Kubectl, old: OldKubectl, by: str) -> None:
    name = f"held-{by[0]}"
    drains = kubectl if by == "today's" else old
    node = kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
    kubectl("create", "deployment", name, "--image=busybox", "--replicas=2", "--", "sleep", "1000")
    kubectl("create", "poddisruptionbudget", name, f"--selector=app={name}", "--min-available=2")
    kubectl("rollout", "status", f"deployment/{name}", "--timeout=60s")
    kubectl("wait", f"pdb/{name}", "--for=jsonpath={.status.currentHealthy}=2", "--timeout=20s")
    drain = ("drain", node, f"--pod-selector=app={name}", "--force")
    try:
        held = drains.run(*drain, "--timeout=3s")
        assert held.returncode == 1
        assert "(will retry after 5s): Cannot evict pod as it would violate the pod's disruption budget." in held.stderr
        assert len(columns(kubectl("get", "pods", "-l", f"app={name}", "--no-headers"))) == 2
        kubectl("patch", "pdb", name, "-p", '{"spec":{"minAvailable":0}}')
        kubectl("wait", f"pdb/{name}", "--for=jsonpath={.status.disruptionsAllowed}=2", "--timeout=20s")
        done = drains.run(*drain, "--grace-period=1", "--timeout=50s")
        assert done.returncode == 0, done.stderr
        assert f"node/{node} " in done.stdout
    finally:
        kubectl("uncordon", node)
        kubectl("delete", "deployment,pdb", name, "--wait=false")


def test_a_pod_of_two_budgets_is_not_evicted(kubectl: Kubectl) -> None:
    kubectl("run", "twice", "--image=busybox", "--labels=app=twice", "--", "sleep", "1000")
    kubectl("wait", "pod/twice", "--for=condition=Ready", "--timeout=60s")
    for name in ("one", "two"):
        kubectl("create", "poddisruptionbudget", name, "--selector=app=twice", "--max-unavailable=1")
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "twice", "namespace": "default"}}
    path = "/api/v1/namespaces/default/pods/twice/eviction"
    done = kubectl.run("create", "--raw", path, "-f", "-", input=json.dumps(eviction))
    assert done.returncode == 1
    assert "This pod has more than one PodDisruptionBudget" in done.stderr
    kubectl("delete", "pod", "twice", "--now")


def test_anybody_may_have_the_key_of_tokens_who_may_have_a_token(kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "key")
    [key] = json.loads(kubectl("get", "--raw", "/openid/v1/jwks"))["keys"]
    assert (key["kty"], key["alg"], key["use"]) == ("EC", "ES256", "sig")
    found = json.loads(kubectl("get", "--raw", "/.well-known/openid-configuration"))
    assert found["jwks_uri"].endswith("/openid/v1/jwks")
    account = ("--as=system:serviceaccount:default:key", "--as-group=system:serviceaccounts")
    assert json.loads(kubectl("get", "--raw", "/openid/v1/jwks", *account))["keys"] == [key]
    assert "Forbidden" in kubectl.refused("get", "--raw", "/openid/v1/jwks", "--as=somebody")
