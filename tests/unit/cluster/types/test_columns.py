"""Rows say what kubectl shows of each kind; above all the STATUS of a pod."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from jubako.cluster.types import columns
from jubako.cluster.types.columns.ages import human
from jubako.cluster.types.columns.pods import status
from jubako.cluster.types.resources import group_versions, kind

NOW = datetime(2026, 1, 10, 12, 0, 0, tzinfo=UTC)
META = {"name": "x", "creationTimestamp": "2026-01-10T11:00:00Z"}


def row(api_version: str, name: str, **document: Any) -> dict[str, Any]:
    """Return the cells of one object by the names of the columns."""
    of = kind(api_version, name)
    assert of
    found: Any = columns.table(of, [{"metadata": META, **document}], NOW)
    names = [each["name"] for each in found["columnDefinitions"]]
    (only,) = found["rows"]
    assert len(names) == len(only["cells"])
    return dict(zip(names, only["cells"], strict=True))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        *((-2, "<invalid>"), (-0.5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (200, "3m20s"), (599, "9m59s")),
        *((600, "10m"), (10799, "179m"), (10800, "3h"), (12000, "3h20m"), (28800, "8h"), (172799, "47h")),
        *((172800, "2d"), (180000, "2d2h"), (691200, "8d"), (86400 * 729, "729d"), (86400 * 730, "2y")),
        *((86400 * 760, "2y30d"), (86400 * 365 * 8, "8y")),
    ],
)
def test_ages_are_as_people_read_them(seconds: float, expected: str) -> None:
    assert human(seconds) == expected


def waiting(reason: str, **more: Any) -> dict[str, Any]:
    return {"name": "c", "state": {"waiting": {"reason": reason}}, **more}


def ended(code: int = 0, name: str = "c", **more: Any) -> dict[str, Any]:
    return {"name": name, "state": {"terminated": {"exitCode": code, **more}}}


RUNNING = {"name": "c", "ready": True, "state": {"running": {}}}
SIDECAR = {"name": "s", "ready": True, "started": True, "state": {"running": {}}}
INIT = [{"name": "i"}, {"name": "j"}]
READY = [{"type": "Ready", "status": "True"}]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"status": {"phase": "Pending"}}, "Pending"),
        ({"status": {"phase": "Running", "containerStatuses": [RUNNING]}}, "Running"),
        ({"status": {"phase": "Failed", "reason": "Evicted"}}, "Evicted"),
        ({"status": {"phase": "Pending", "containerStatuses": [waiting("ContainerCreating")]}}, "ContainerCreating"),
        ({"status": {"phase": "Pending", "containerStatuses": [waiting("ImagePullBackOff")]}}, "ImagePullBackOff"),
        ({"status": {"phase": "Running", "containerStatuses": [waiting("CrashLoopBackOff")]}}, "CrashLoopBackOff"),
        ({"status": {"phase": "Succeeded", "containerStatuses": [ended(reason="Completed")]}}, "Completed"),
        ({"status": {"phase": "Failed", "containerStatuses": [ended(1, reason="Error")]}}, "Error"),
        ({"status": {"phase": "Failed", "containerStatuses": [ended(137, reason="OOMKilled")]}}, "OOMKilled"),
        ({"status": {"phase": "Failed", "containerStatuses": [ended(3)]}}, "ExitCode:3"),
        ({"status": {"phase": "Failed", "containerStatuses": [ended(137, signal=9)]}}, "Signal:9"),
        ({"status": {"containerStatuses": [ended(reason="Completed"), RUNNING], "conditions": READY}}, "Running"),
        ({"status": {"containerStatuses": [ended(reason="Completed"), RUNNING]}}, "NotReady"),
        (
            {"spec": {"initContainers": INIT}, "status": {"initContainerStatuses": [waiting("PodInitializing")]}},
            "Init:0/2",
        ),
        (
            {
                "spec": {"initContainers": INIT},
                "status": {"initContainerStatuses": [ended(), waiting("PodInitializing")]},
            },
            "Init:1/2",
        ),
        (
            {"spec": {"initContainers": INIT}, "status": {"initContainerStatuses": [waiting("ErrImagePull")]}},
            "Init:ErrImagePull",
        ),
        (
            {"spec": {"initContainers": INIT}, "status": {"initContainerStatuses": [ended(1, reason="Error")]}},
            "Init:Error",
        ),
        ({"spec": {"initContainers": INIT}, "status": {"initContainerStatuses": [ended(2)]}}, "Init:ExitCode:2"),
        (
            {
                "spec": {"initContainers": [{"name": "s", "restartPolicy": "Always"}]},
                "status": {"phase": "Running", "initContainerStatuses": [SIDECAR], "containerStatuses": [RUNNING]},
            },
            "Running",
        ),
        (
            {
                "spec": {"initContainers": INIT},
                "status": {
                    "initContainerStatuses": [ended(), ended()],
                    "containerStatuses": [waiting("PodInitializing")],
                },
            },
            "PodInitializing",
        ),
        (
            {
                "metadata": {"deletionTimestamp": "2026-01-10T11:59:00Z"},
                "status": {"phase": "Running", "containerStatuses": [RUNNING]},
            },
            "Terminating",
        ),
        (
            {
                "metadata": {"deletionTimestamp": "2026-01-10T11:59:00Z"},
                "status": {"phase": "Succeeded", "containerStatuses": [ended(reason="Completed")]},
            },
            "Completed",
        ),
        ({"status": {"phase": "Pending", "conditions": [{"reason": "SchedulingGated"}]}}, "SchedulingGated"),
    ],
)
def test_the_status_of_a_pod(document: dict[str, Any], expected: str) -> None:
    assert status(document) == expected


def test_a_pod_counts_sidecars_and_restarts() -> None:
    last = {"terminated": {"finishedAt": "2026-01-10T11:59:00Z"}}
    spec = {"containers": [{"name": "c"}], "initContainers": [{"name": "s", "restartPolicy": "Always"}, {"name": "i"}]}
    once = {**ended(name="i"), "restartCount": 5}
    state = {
        "initContainerStatuses": [{**SIDECAR, "restartCount": 1}, once],
        "containerStatuses": [{**RUNNING, "restartCount": 2, "lastState": last}],
    }
    found = row("v1", "Pod", spec=spec, status=state)
    assert (found["Ready"], found["Restarts"], found["Age"], found["Node"]) == ("2/2", "3 (60s ago)", "60m", "<none>")


def test_workloads_show_how_far_they_are() -> None:
    selector = {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "In", "values": ["e", "d"]}]}
    template = {"spec": {"containers": [{"name": "c", "image": "i:1"}, {"name": "d", "image": "j"}]}}
    spec = {"replicas": 3, "selector": selector, "template": template}
    state = {"readyReplicas": 2, "updatedReplicas": 1, "availableReplicas": 2}
    assert row("apps/v1", "Deployment", spec=spec, status=state) == {
        "Name": "x",
        "Ready": "2/3",
        "Up-to-date": 1,
        "Available": 2,
        "Age": "60m",
        "Containers": "c,d",
        "Images": "i:1,j",
        "Selector": "a=b,c in (d,e)",
    }
    assert row("apps/v1", "StatefulSet", spec=spec, status=state)["Ready"] == "2/3"


def test_a_job_shows_its_end_and_how_long_it_took() -> None:
    begun = {"startTime": "2026-01-10T11:59:00Z", "succeeded": 1}
    running = row("batch/v1", "Job", spec={"completions": 2}, status=begun)
    assert (running["Status"], running["Completions"], running["Duration"]) == ("Running", "1/2", "60s")
    done = {**begun, "completionTime": "2026-01-10T11:59:05Z", "conditions": [{"type": "Complete", "status": "True"}]}
    complete = row("batch/v1", "Job", spec={"parallelism": 2}, status=done)
    assert (complete["Status"], complete["Completions"], complete["Duration"]) == ("Complete", "1/1 of 2", "5s")


def test_services_show_addresses_and_ports() -> None:
    ports = [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    found = row(
        "v1", "Service", spec={"type": "NodePort", "clusterIP": "10.0.0.1", "ports": ports, "selector": {"a": "b"}}
    )
    assert (found["External-IP"], found["Port(s)"], found["Selector"]) == ("<none>", "80:30080/TCP,53/UDP", "a=b")
    assert row("v1", "Service", spec={"type": "LoadBalancer"})["External-IP"] == "<pending>"
    subset = {"addresses": [{"ip": f"10.0.0.{n}"} for n in range(5)], "ports": [{"port": 80}]}
    assert row("v1", "Endpoints", subsets=[subset])["Endpoints"] == "10.0.0.0:80,10.0.0.1:80,10.0.0.2:80 + 2 more..."


def test_nodes_show_whether_they_are_ready() -> None:
    labels = {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "x"}
    state = {"conditions": READY, "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]}
    found = row("v1", "Node", metadata={**META, "labels": labels}, spec={"unschedulable": True}, status=state)
    assert (found["Status"], found["Roles"], found["Internal-IP"]) == (
        "Ready,SchedulingDisabled",
        "control-plane,x",
        "10.0.0.1",
    )
    assert row("v1", "Node")["Status"] == "Unknown"


def test_both_forms_of_an_event_show_the_same() -> None:
    when = {"firstTimestamp": "2026-01-10T11:00:00Z", "lastTimestamp": "2026-01-10T11:59:00Z", "count": 4}
    about = {"kind": "Pod", "name": "p"}
    old = row("v1", "Event", involvedObject=about, message=" m ", source={"component": "k", "host": "h"}, **when)
    assert (old["Last Seen"], old["Object"], old["Message"], old["Source"], old["Count"]) == (
        "60s",
        "pod/p",
        "m",
        "k, h",
        4,
    )
    series = {"count": 4, "lastObservedTime": "2026-01-10T11:59:00.000000Z"}
    new = row(
        "events.k8s.io/v1", "Event", regarding=about, note="m", eventTime="2026-01-10T11:00:00.000000Z", series=series
    )
    assert (new["Last Seen"], new["First Seen"], new["Object"], new["Count"]) == ("60s", "60m", "pod/p", 4)


def test_every_kind_has_a_row_even_when_nothing_is_known_of_it() -> None:
    for group in group_versions():
        for resource in group.resources:
            assert row(group.api_version, resource.kind.name, metadata={})["Name"] == ""


def test_rows_carry_what_was_asked_for() -> None:
    of = kind("v1", "Pod")
    assert of
    pod: Any = {"metadata": META, "status": {"phase": "Succeeded"}}
    found: Any = columns.table(of, [pod], NOW, metadata={"resourceVersion": "7"})
    assert found["metadata"] == {"resourceVersion": "7"}
    assert found["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert found["rows"][0]["conditions"][0]["type"] == "Completed"
    assert columns.table(of, [pod], NOW, include_object="Object", headers=False)["columnDefinitions"] == []


def test_a_quota_tells_requests_and_limits_apart() -> None:
    status = {"hard": {"pods": "2", "limits.cpu": "3", "cpu": "1"}, "used": {"pods": "1", "cpu": "100m"}}
    assert row("v1", "ResourceQuota", status=status) == {
        "Name": "x", "Request": "cpu: 100m/1, pods: 1/2", "Limit": "limits.cpu: 0/3", "Age": "60m",
    }  # fmt: skip
    assert row("v1", "LimitRange") == {"Name": "x", "Created At": META["creationTimestamp"]}


def test_ingresses_have_hosts_addresses_and_ports() -> None:
    rules = [{"host": f"{n}.example.com"} for n in "abcd"]
    status = {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}, {"hostname": "out"}]}}
    shown = row("networking.k8s.io/v1", "Ingress", spec={"rules": rules, "tls": [{}]}, status=status)
    assert shown == {
        "Name": "x", "Class": "<none>", "Hosts": "a.example.com,b.example.com,c.example.com + 1 more...",
        "Address": "10.0.0.1,out", "Ports": "80, 443", "Age": "60m",
    }  # fmt: skip
    plain = row("networking.k8s.io/v1", "Ingress", spec={"ingressClassName": "k", "rules": [{}]})
    assert (plain["Class"], plain["Hosts"], plain["Address"], plain["Ports"]) == ("k", "*", "", "80")
    parameters = {"apiGroup": "example.com", "kind": "Kind", "name": "p"}
    shown = row("networking.k8s.io/v1", "IngressClass", spec={"controller": "c", "parameters": parameters})
    assert (shown["Controller"], shown["Parameters"]) == ("c", "Kind.example.com/p")


def test_a_replication_controller_selects_by_labels_and_a_scale_counts() -> None:
    spec = {"replicas": 3, "selector": {"a": "b"}, "template": {}}
    shown = row("v1", "ReplicationController", spec=spec, status={"replicas": 2, "readyReplicas": 1})
    assert [shown[each] for each in ("Desired", "Current", "Ready", "Selector")] == [3, 2, 1, "a=b"]
    shown = row("autoscaling/v1", "Scale", spec={"replicas": 3}, status={"replicas": 2})
    assert (shown["Desired"], shown["Available"]) == (3, 2)
