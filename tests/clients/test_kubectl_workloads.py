"""kubectl and the controllers: each kind of workload comes about, changes and goes as a user of Kubernetes knows it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.clients.test_kubectl import Kubectl, kubectl

__all__ = ["kubectl"]
pytestmark = [pytest.mark.clients, pytest.mark.root]


def pod(command: str, restart: str = "Always", **more: Any) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "busybox",
        "command": ["sh", "-c", command],
        "imagePullPolicy": "IfNotPresent",
    }
    container |= more.pop("container", {})
    return {
        "metadata": {"labels": {"app": "it"}},
        "spec": {"containers": [container], "restartPolicy": restart, "terminationGracePeriodSeconds": 1, **more},
    }


def apply(kubectl: Kubectl, api_version: str, kind: str, name: str, **spec: Any) -> None:
    document = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec}
    kubectl("apply", "-f", "-", input=json.dumps(document))


def read(kubectl: Kubectl, *what: str) -> Any:
    return json.loads(kubectl("get", *what, "-o", "json"))


SELECTOR = {"matchLabels": {"app": "it"}}


def test_a_stateful_set_comes_up_in_order_and_is_rolled_out(kubectl: Kubectl) -> None:
    template = pod("sleep 1000")
    apply(kubectl, "apps/v1", "StatefulSet", "db", serviceName="db", selector=SELECTOR, replicas=2, template=template)
    kubectl("rollout", "status", "sts/db", "--timeout=40s")
    names = [each["metadata"]["name"] for each in read(kubectl, "pods", "-l", "app=it")["items"]]
    assert names == ["db-0", "db-1"]
    kubectl("set", "env", "sts/db", "A=b")
    kubectl("rollout", "status", "sts/db", "--timeout=50s")
    for each in read(kubectl, "pods", "-l", "app=it")["items"]:
        assert each["spec"]["containers"][0]["env"] == [{"name": "A", "value": "b"}]
    kubectl("delete", "sts", "db", "--cascade=foreground")
    assert read(kubectl, "pods", "-l", "app=it")["items"] == []


def test_a_job_completes_and_its_pods_are_let_go(kubectl: Kubectl) -> None:
    apply(kubectl, "batch/v1", "Job", "j", completions=2, parallelism=2, template=pod("true", "Never"))
    kubectl("wait", "--for=condition=complete", "job/j", "--timeout=40s")
    status = read(kubectl, "job", "j")["status"]
    assert status["succeeded"] == 2
    assert "Completed" in kubectl("describe", "job", "j")
    kubectl("delete", "job", "j")
    kubectl("wait", "--for=delete", "pod", "-l", "job-name=j", "--timeout=20s")


def test_a_failing_job_fails_with_its_reason(kubectl: Kubectl) -> None:
    apply(kubectl, "batch/v1", "Job", "bad", backoffLimit=0, template=pod("exit 3", "Never"))
    kubectl("wait", "--for=condition=failed", "job/bad", "--timeout=40s")
    assert "Job has reached the specified backoff limit" in kubectl("describe", "job", "bad")
    kubectl("delete", "job", "bad")


def test_a_daemon_set_runs_on_the_node(kubectl: Kubectl) -> None:
    apply(kubectl, "apps/v1", "DaemonSet", "agent", selector=SELECTOR, template=pod("sleep 1000"))
    kubectl("rollout", "status", "ds/agent", "--timeout=40s")
    assert read(kubectl, "ds", "agent")["status"]["numberReady"] == 1
    kubectl("delete", "ds", "agent")


def test_a_cron_job_started_by_hand_makes_a_job(kubectl: Kubectl) -> None:
    template = {"spec": {"template": pod("true", "Never")}}
    apply(kubectl, "batch/v1", "CronJob", "c", schedule="0 0 1 1 *", jobTemplate=template)
    kubectl("create", "job", "now", "--from=cronjob/c")
    kubectl("wait", "--for=condition=complete", "job/now", "--timeout=40s")
    kubectl("delete", "cronjob", "c")
    kubectl("wait", "--for=delete", "job/now", "--timeout=20s")


def test_what_does_not_fit_says_why(kubectl: Kubectl) -> None:
    resources = {"resources": {"requests": {"cpu": "1000"}}}
    kubectl(
        "apply",
        "-f",
        "-",
        input=json.dumps(
            {"apiVersion": "v1", "kind": "Pod", **pod("true", container=resources), "metadata": {"name": "big"}}
        ),
    )
    kubectl("wait", "--for=condition=PodScheduled=false", "pod/big", "--timeout=20s")
    assert "0/1 nodes are available: 1 Insufficient cpu." in kubectl("describe", "pod", "big")
    kubectl("delete", "pod", "big")


def test_a_namespace_goes_with_what_runs_in_it(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "short")
    kubectl("create", "deployment", "web", "--image=busybox", "-n", "short", "--replicas=2", "--", "sleep", "1000")
    kubectl("rollout", "status", "deployment/web", "-n", "short", "--timeout=40s")
    kubectl("delete", "namespace", "short", "--timeout=50s")
    assert "short" not in kubectl("get", "namespaces", "-o", "name")
