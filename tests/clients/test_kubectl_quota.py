"""Quotas and limits: kubectl makes, lists and describes them, and is told what they do not allow."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.kubectl import Kubectl, columns
from tests.conftest import COMMAND

pytestmark = [pytest.mark.clients, pytest.mark.root]
HARD = "pods=2,requests.cpu=1,limits.memory=1Gi,services.nodeports=1,count/deployments.apps=1"
LIMITS = {
    "type": "Container",
    "min": {"cpu": "50m"},
    "max": {"cpu": "2", "memory": "512Mi"},
    "default": {"cpu": "1", "memory": "64Mi"},
    "defaultRequest": {"cpu": "100m"},
}
SHAPES = {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}


def limit_range(name: str = "l", *limits: dict[str, Any]) -> dict[str, Any]:
    spec = {"limits": [*limits] or [LIMITS, SHAPES]}
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name}, "spec": spec}


def pod(name: str, cpu: str = "") -> dict[str, Any]:
    container: dict[str, Any] = {"name": "c", "image": "busybox:1", "command": ["sleep", "1000"]}
    if cpu:
        container["resources"] = {"requests": {"cpu": cpu}}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def until(kubectl: Kubectl, path: str, expected: str, *what: str) -> None:
    found = ""
    for _ in range(200):
        if (found := kubectl.one(path, *what)) == expected:
            return
        time.sleep(0.05)
    raise AssertionError(f"{what} {path}: {found!r} is not {expected!r}")


def ours(kubectl: Kubectl, *arguments: str) -> str:
    """Return what our own command prints, whatever it ends with."""
    command = [COMMAND, *arguments, f"--namespace={kubectl.namespace}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=kubectl.env).stdout


def described_alike(kubectl: Kubectl, *what: str) -> None:
    """Compare our describe with kubectl's, which has the amounts of one limit in any order."""
    for each in (what, ("namespace", kubectl.namespace)):
        assert sorted(ours(kubectl, "describe", *each).splitlines()) == sorted(kubectl("describe", *each).splitlines())


def refused(kubectl: Kubectl, document: dict[str, Any]) -> str:
    done = kubectl.run("create", "-f", "-", input=json.dumps(document))
    assert done.returncode == 1, done.stdout
    return done.stderr.strip()


@pytest.fixture
def space(kubectl: Kubectl) -> Iterator[Kubectl]:
    yield kubectl
    kubectl("delete", "pods", "--all", "--now")


def test_limits_complete_and_refuse(space: Kubectl) -> None:
    space.apply(limit_range())
    assert columns(space("get", "limits"))[0] == ["NAME", "CREATED AT"]
    space.apply(pod("plain"))
    given = space.read("pod", "plain")
    assert given["spec"]["containers"][0]["resources"] == {
        "limits": {"cpu": "1", "memory": "64Mi"},
        "requests": {"cpu": "100m", "memory": "64Mi"},
    }
    assert given["metadata"]["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c"
    )
    assert refused(space, pod("small", "10m")).endswith(
        'pods "small" is forbidden: minimum cpu usage per Container is 50m, but request is 10m'
    )
    assert "Invalid value" in refused(space, limit_range("bad", {"type": "Pod", "min": {"toys": "1"}}))
    told = space("describe", "limits", "l")
    assert ["Container", "cpu", "50m", "2", "100m", "1", "-"] in columns(told)
    if not space.is_old:
        described_alike(space, "limits", "l")


def test_a_quota_is_shown_spent_and_given_back(space: Kubectl) -> None:
    assert space("create", "quota", "q", f"--hard={HARD}") == "resourcequota/q created\n"
    space.apply(limit_range())
    until(space, ".status.used.pods", "0", "quota", "q")
    space.apply(pod("a"), pod("b"))
    until(space, ".status.used.pods", "2", "quota", "q")
    assert columns(space("get", "quota", "q"))[0] == ["NAME", "REQUEST", "LIMIT", "AGE"]
    row = columns(space("get", "quota", "q"))[1]
    assert row[1:3] == [
        "count/deployments.apps: 0/1, pods: 2/2, requests.cpu: 200m/1, services.nodeports: 0/1",
        "limits.memory: 128Mi/1Gi",
    ]
    assert refused(space, pod("c")).endswith(
        'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2'
    )
    told = space("describe", "quota", "q")
    assert ["requests.cpu", "200m", "1"] in columns(told)
    if not space.is_old:
        described_alike(space, "quota", "q")
    space("delete", "pod", "a", "--now")
    space.apply(pod("c"))
    space("create", "service", "nodeport", "s", "--tcp=80")
    assert "exceeded quota: q, requested: services.nodeports=1" in space.refused(
        *("create", "service", "nodeport", "t", "--tcp=80")
    )


def test_what_does_not_say_what_is_counted_is_refused(space: Kubectl) -> None:
    space("create", "quota", "q", "--hard=requests.cpu=1,limits.memory=1Gi")
    assert refused(space, pod("a")).endswith(
        'pods "a" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c'
    )
    assert "must be a standard resource for quota" in space.refused("create", "quota", "bad", "--hard=toys=1")


def test_a_scope_is_told_of(space: Kubectl) -> None:
    space("create", "quota", "q", "--hard=pods=1", "--scopes=BestEffort,NotTerminating")
    space.apply(pod("a"))
    assert "exceeded quota: q" in refused(space, pod("b"))
    space.apply(pod("c", "10m"))
    until(space, ".status.used.pods", "1", "quota", "q")
    told = space("describe", "quota", "q")
    assert "* Matches all pods that do not have resource requirements set." in told
    if not space.is_old:
        described_alike(space, "quota", "q")


def test_a_deployment_makes_as_many_pods_as_fit(space: Kubectl) -> None:
    space("create", "quota", "q", "--hard=pods=1")
    space("create", "deployment", "web", "--image=busybox:1", "--replicas=2", "--", "sleep", "1000")
    until(space, ".status.readyReplicas", "1", "deployment", "web")
    until(space, ".status.conditions[?(@.type=='ReplicaFailure')].reason", "FailedCreate", "deployment", "web")
    told = space("get", "events", "--field-selector=reason=FailedCreate", "-o", "jsonpath={.items[*].message}")
    assert "is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1" in told
    assert "the quota q is used up" in ours(space, "why", "deployment/web")
    space("delete", "quota", "q")
    space("scale", "deployment", "web", "--replicas=3")
    until(space, ".status.readyReplicas", "3", "deployment", "web")
    space("delete", "deployment", "web")


def test_creates_at_once_never_take_more_than_there_is(space: Kubectl) -> None:
    space("create", "quota", "q", "--hard=configmaps=5")
    before = len(space.read("configmaps")["items"])
    makers = [space.start("create", "configmap", f"m{n}") for n in range(8)]
    ended = [maker.wait(timeout=60) for maker in makers]
    for maker in makers:
        assert maker.stdout is not None
        maker.stdout.close()
    assert ended.count(0) == 5 - before
    assert len(space.read("configmaps")["items"]) == 5
