"""kubectl and running pods: logs, files, waits, each way of deletion, and a node that is cordoned, drained, tainted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.kube_case import becomes
from tests.clients.kubectl import Kubectl
from tests.clients.test_kubectl_change import ENDLESS, WEB, changed

pytestmark = [pytest.mark.clients, pytest.mark.root]


def pod(name: str, command: list[str], **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": "busybox:1", "command": command}
    more = {"terminationGracePeriodSeconds": 1, **spec}
    metadata = {"name": name, "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container], **more}}


def test_logs_follow_to_the_end_and_remember_the_last_attempt(kubectl: Kubectl) -> None:
    told = "for n in 1 2 3; do echo line $n; sleep 0.3; done"
    kubectl.apply(pod("told", ["sh", "-c", told], restartPolicy="Never"))
    kubectl("wait", "--for=condition=PodReadyToStartContainers", "pod/told", "--timeout=20s")
    kubectl("wait", "--for=condition=Initialized", "pod/told", "--timeout=20s")
    kubectl.apply(pod("again", ["sh", "-c", "echo attempt; exit 3"]))
    followed = ""
    for _ in range(20):
        done = kubectl.run("logs", "-f", "told")
        if done.returncode == 0:
            followed = done.stdout
            break
    assert followed == "line 1\nline 2\nline 3\n"
    assert kubectl("logs", "told", "--tail=1") == "line 3\n"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z line 1", kubectl("logs", "told", "--timestamps").splitlines()[0])
    assert kubectl("logs", "-l", "app=told", "--prefix", "--tail=1") == "[pod/told/main] line 3\n"
    for _ in range(50):
        if int(kubectl.one(".status.containerStatuses[0].restartCount", "pod", "again") or 0):
            break
    assert kubectl("logs", "again", "--previous") == "attempt\n"
    assert kubectl("get", "pod", "again", "--no-headers").split()[2] in ("CrashLoopBackOff", "Error", "Running")


def gone(kubectl: Kubectl, what: str) -> None:
    """Wait until it is; to kubectl 1.20 the absence of what it is to wait for is a failure."""
    done = kubectl.run("wait", "--for=delete", what, "--timeout=20s")
    assert done.returncode == 0 or "no matching resources found" in done.stderr


def test_files_are_copied_both_ways(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl.apply(pod("files", ENDLESS))
    kubectl("wait", "--for=condition=Ready", "pod/files", "--timeout=20s")
    tree = tmp_path / "tree"
    (tree / "below").mkdir(parents=True)
    (tree / "below" / "data").write_bytes(bytes(range(256)) * 400)
    kubectl("cp", str(tree), "files:/tmp/tree")
    kubectl("cp", "files:/tmp/tree/below/data", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == bytes(range(256)) * 400


def test_waiting_for_what_comes_and_what_goes(kubectl: Kubectl) -> None:
    kubectl.apply(pod("one", ENDLESS), pod("two", ENDLESS))
    assert kubectl("wait", "--for=condition=Ready", "pods", "--all", "--timeout=20s").splitlines() == [
        "pod/one condition met",
        "pod/two condition met",
    ]
    if not kubectl.is_old:
        kubectl("wait", "--for=jsonpath={.status.phase}=Running", "pod/one", "--timeout=20s")
    done = kubectl.run("wait", "--for=condition=Never", "pod/one", "--timeout=1s")
    assert (done.returncode, "timed out waiting for the condition" in done.stderr) == (1, True)
    kubectl("delete", "pod", "one", "--wait=false")
    gone(kubectl, "pod/one")
    assert kubectl("get", "pods", "-o", "name") == "pod/two\n"


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    kubectl.apply(WEB)
    kubectl("rollout", "status", "deployment/web", "--timeout=40s")
    return kubectl


def test_each_cascade(web: Kubectl) -> None:
    web("delete", "deployment", "web", "--cascade=orphan")
    sets = web("get", "replicasets", "-o", "name").split()
    assert len(sets) == 1
    assert web.one(".metadata.ownerReferences", *sets[0].split("/")) == ""
    web("delete", *sets, "--cascade=orphan")
    pods = web("get", "pods", "-o", "name").split()
    assert len(pods) == 2
    web.apply(WEB)
    web("rollout", "status", "deployment/web", "--timeout=40s")
    assert set(web("get", "pods", "-o", "name").split()) == set(pods)  # adopted
    web("delete", "deployment", "web", "--cascade=foreground", "--timeout=30s")
    assert web("get", "pods", "-o", "name") == ""
    web.apply(WEB)
    web("delete", "deployment", "web", "--cascade=background")
    for each in web("get", "pods", "-o", "name").split():
        gone(web, each)
    becomes(lambda: web("get", "replicasets", "-o", "name"), "")


def test_a_pod_that_will_not_end_is_forced(kubectl: Kubectl) -> None:
    kubectl.apply(pod("deaf", ["sleep", "1000"], terminationGracePeriodSeconds=600))
    kubectl("wait", "--for=condition=Ready", "pod/deaf", "--timeout=20s")
    kubectl("delete", "pod", "deaf", "--wait=false")
    assert kubectl("get", "pod", "deaf", "--no-headers").split()[2] == "Terminating"
    done = kubectl.run("delete", "pod", "deaf", "--grace-period=0", "--force", "--timeout=30s")
    assert 'pod "deaf" force deleted' in done.stdout
    gone(kubectl, "pod/deaf")
    assert "Immediate deletion does not wait for confirmation" in done.stderr


@pytest.fixture
def node(kubectl: Kubectl) -> Iterator[str]:
    name = kubectl.one(".items[0].metadata.name", "nodes")
    yield name
    kubectl("uncordon", name)
    kubectl.run("taint", "node", name, "dedicated-")


def test_a_cordoned_node_takes_nothing_new(kubectl: Kubectl, node: str) -> None:
    assert kubectl("cordon", node) == f"node/{node} cordoned\n"
    assert kubectl("get", "node", node, "--no-headers").split()[1] == "Ready,SchedulingDisabled"
    kubectl.apply(pod("late", ENDLESS))
    kubectl("wait", "--for=condition=PodScheduled=false", "pod/late", "--timeout=20s")
    assert "1 node(s) were unschedulable" in kubectl("describe", "pod", "late")
    assert kubectl("uncordon", node) == f"node/{node} uncordoned\n"
    kubectl("wait", "--for=condition=Ready", "pod/late", "--timeout=20s")


def test_a_drain_respects_budgets_and_moves_the_rest(web: Kubectl, node: str) -> None:
    web.apply(pod("bare", ENDLESS))
    web("wait", "--for=condition=Ready", "pod/bare", "--timeout=20s")
    drain = ["drain", node, "--pod-selector=app in (web,bare)", "--timeout=20s"]
    assert "cannot delete Pods" in web.run(*drain).stderr
    budget = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 2}
    web.apply({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}, "spec": budget})
    done = web.run(*drain[:-1], "--timeout=3s", "--force")
    assert done.returncode == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget" in done.stderr
    web("patch", "poddisruptionbudgets.v1.policy", "web", "--type=merge", "-p", '{"spec":{"minAvailable":0}}')
    told = web(*drain, "--force")
    assert re.search(rf"node/{node} (drained|evicted)", told)
    pending = web.read("pods", "-l", "app=web")["items"]
    assert {each["status"]["phase"] for each in pending} == {"Pending"}
    web("uncordon", node)
    web("rollout", "status", "deployment/web", "--timeout=40s")


def test_a_taint_keeps_out_who_does_not_tolerate_it(kubectl: Kubectl, node: str) -> None:
    assert kubectl("taint", "node", node, "dedicated=it:NoSchedule") == f"node/{node} tainted\n"
    tolerations = [{"key": "dedicated", "operator": "Exists"}]
    kubectl.apply(pod("in", ENDLESS, tolerations=tolerations), pod("out", ENDLESS))
    kubectl("wait", "--for=condition=Ready", "pod/in", "--timeout=20s")
    kubectl("wait", "--for=condition=PodScheduled=false", "pod/out", "--timeout=20s")
    kubectl("taint", "node", node, "dedicated=it:NoExecute")
    kubectl("delete", "pod", "out")
    assert kubectl("get", "pods", "-o", "name") == "pod/in\n"
    kubectl("taint", "node", node, "dedicated-")
    assert json.loads(kubectl("get", "node", node, "-o", "json"))["spec"].get("taints") is None


def test_a_scaled_set_and_an_update_on_deletion(kubectl: Kubectl) -> None:
    spec = changed(WEB, serviceName="web", replicas=2, updateStrategy={"type": "OnDelete"})
    kubectl.apply({**spec, "kind": "StatefulSet"})
    kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=20s") if wait_for(kubectl, "web-0") else None
    kubectl("scale", "sts/web", "--replicas=1")
    wait_for(kubectl, "web-0")
    kubectl("set", "env", "sts/web", "A=b")
    assert kubectl.one(".spec.containers[0].env", "pod", "web-0") == ""
    kubectl("delete", "pod", "web-0")
    assert wait_for(kubectl, "web-0")
    kubectl("wait", "--for=condition=Ready", "pod/web-0", "--timeout=20s")
    assert kubectl.one(".spec.containers[0].env[0].value", "pod", "web-0") == "b"


def wait_for(kubectl: Kubectl, name: str) -> bool:
    return any(kubectl.run("get", "pod", name).returncode == 0 for _ in range(100))
