"""Priorities: the pod of a higher class takes the place of a lower one."""

from __future__ import annotations

from typing import Any

import pytest
from tests.clients.kubectl import Kubectl

pytestmark = [pytest.mark.clients, pytest.mark.root]


def pod(name: str, milli_cpu: int, **spec: Any) -> dict[str, Any]:
    requests = {"requests": {"cpu": f"{milli_cpu}m"}}
    container = {"name": "c", "image": "busybox:1", "command": ["sleep", "1000"], "resources": requests}
    whole = {"terminationGracePeriodSeconds": 1, "containers": [container], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": whole}


def test_a_more_important_pod_takes_the_place_of_another(kubectl: Kubectl) -> None:
    vip = f"vip-{kubectl.namespace}"
    kubectl("create", "priorityclass", vip, "--value=1000")
    most = int(kubectl.one(".items[0].status.allocatable.cpu", "nodes")) * 600
    kubectl.apply(pod("low", most))
    kubectl("wait", "pod/low", "--for=condition=Ready", "--timeout=30s")
    kubectl.apply(pod("meek", most))
    kubectl("wait", "pod/meek", "--for=condition=PodScheduled=false", "--timeout=30s")
    assert "No preemption victims found for incoming pod." in kubectl("describe", "pod", "meek")
    kubectl("delete", "pod", "meek")
    kubectl.apply(pod("high", most, priorityClassName=vip))
    kubectl("wait", "pod/high", "--for=condition=Ready", "--timeout=30s")
    assert kubectl.one(".spec.priority", "pod", "high") == "1000"
    assert kubectl.run("get", "pod", "low").returncode == 1
    told = kubectl("get", "events", "--field-selector=reason=Preempted", "-o", "jsonpath={.items[*].message}")
    assert told.startswith("Preempted by pod ")
    refused = kubectl.run("run", "none", "--image=busybox:1", "--overrides", '{"spec":{"priorityClassName":"none"}}')
    assert "no PriorityClass with name none was found" in refused.stderr
    kubectl("delete", "pod", "high", "--now")
    kubectl("delete", "priorityclass", vip)
