"""What a client leaves out is filled in as Kubernetes fills it in, and nothing else is touched."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from jubako.cluster.types.decoding.body import conform
from jubako.cluster.types.defaulting import default
from jubako.cluster.types.defaulting.constants import constants
from jubako.cluster.types.resources import kind
from jubako.cluster.types.schema import message


def defaulted(api_version: str, name: str, body: dict[str, Any]) -> Any:
    of = kind(api_version, name)
    assert of
    document, warnings = conform(of, body)
    assert warnings == []
    default(of, document)
    again = copy.deepcopy(document)
    default(of, again)
    assert again == document
    return document


def pod(**spec: Any) -> Any:
    return defaulted("v1", "Pod", {"metadata": {"name": "a"}, "spec": spec})


def test_every_constant_is_of_a_field_that_there_is() -> None:
    for name, values in constants().items():
        for field in values:
            assert message(name).by_name[field]


def test_a_pod_gets_what_kubernetes_gives_it() -> None:
    assert pod(containers=[{"name": "a", "image": "nginx"}])["spec"] == {
        "containers": [
            {
                "name": "a",
                "image": "nginx",
                "resources": {},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "imagePullPolicy": "Always",
            }
        ],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": True,
    }


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.27", "IfNotPresent"),
        ("localhost:5000/nginx", "Always"),
        (f"nginx@sha256:{'0' * 64}", "IfNotPresent"),
        ("no such name", "IfNotPresent"),
    ],
)
def test_an_image_that_may_change_is_always_pulled(image: str, policy: str) -> None:
    assert pod(containers=[{"name": "a", "image": image}])["spec"]["containers"][0]["imagePullPolicy"] == policy


def test_probes_ports_and_volumes_are_completed() -> None:
    probe = {"httpGet": {"port": 80}}
    container = {"name": "a", "image": "x:1", "ports": [{"containerPort": 80}], "livenessProbe": probe}
    environment = [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
    volumes = [{"name": "a"}, {"name": "b", "secret": {"secretName": "s"}}, {"name": "c", "hostPath": {"path": "/x"}}]
    spec = pod(containers=[{**container, "env": environment}], volumes=volumes)["spec"]
    first = spec["containers"][0]
    assert first["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert first["livenessProbe"] == {
        "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    assert first["env"][0]["valueFrom"]["fieldRef"] == {"apiVersion": "v1", "fieldPath": "metadata.name"}
    assert spec["volumes"] == [
        {"name": "a", "emptyDir": {}},
        {"name": "b", "secret": {"secretName": "s", "defaultMode": 420}},
        {"name": "c", "hostPath": {"path": "/x", "type": ""}},
    ]


def test_limits_are_requested_in_a_pod_and_not_in_a_template() -> None:
    container = {
        "name": "a",
        "image": "x:1",
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "0.5"}},
    }
    assert pod(containers=[container])["spec"]["containers"][0]["resources"]["requests"] == {
        "cpu": "500m",
        "memory": "1Gi",
    }
    template = {"spec": {"containers": [container]}}
    deployment = defaulted("apps/v1", "Deployment", {"spec": {"selector": {}, "template": template}})
    resources = deployment["spec"]["template"]["spec"]["containers"][0]["resources"]
    assert resources["requests"] == {"cpu": "500m"}


def test_amounts_below_a_thousandth_round_up() -> None:
    resources = {"limits": {"cpu": "1n", "memory": "1500u"}}
    limits = pod(containers=[{"name": "a", "image": "x:1", "resources": resources}])["spec"]["containers"][0][
        "resources"
    ]
    assert limits["limits"] == {"cpu": "1m", "memory": "2m"}


def test_ports_of_a_pod_on_the_host_are_the_hosts() -> None:
    container = {"name": "a", "image": "x:1", "ports": [{"containerPort": 80}]}
    assert pod(hostNetwork=True, containers=[container])["spec"]["containers"][0]["ports"][0]["hostPort"] == 80


def test_workloads_get_their_strategies() -> None:
    template = {"spec": {"containers": [{"name": "a", "image": "x:1"}]}}
    deployment = defaulted("apps/v1", "Deployment", {"spec": {"selector": {}, "template": template}})["spec"]
    rolling = {"maxUnavailable": "25%", "maxSurge": "25%"}
    assert deployment["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}
    assert (deployment["replicas"], deployment["revisionHistoryLimit"]) == (1, 10)
    assert deployment["progressDeadlineSeconds"] == 600
    assert deployment["template"]["spec"]["restartPolicy"] == "Always"
    assert "enableServiceLinks" not in deployment["template"]["spec"]
    daemons = defaulted("apps/v1", "DaemonSet", {"spec": {"selector": {}, "template": template}})["spec"]
    assert daemons["updateStrategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}
    stateful = {"selector": {}, "template": template, "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {}}]}
    numbered = defaulted("apps/v1", "StatefulSet", {"spec": stateful})["spec"]
    assert numbered["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    assert numbered["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert (numbered["podManagementPolicy"], numbered["replicas"]) == ("OrderedReady", 1)
    claim = numbered["volumeClaimTemplates"][0]
    assert (claim["spec"]["volumeMode"], claim["status"]) == ("Filesystem", {"phase": "Pending"})


def test_what_is_given_stays_even_when_it_is_zero() -> None:
    spec = {"replicas": 0, "revisionHistoryLimit": 0, "selector": {}, "template": {}, "strategy": {"type": "Recreate"}}
    found = defaulted("apps/v1", "Deployment", {"spec": spec})["spec"]
    assert (found["replicas"], found["revisionHistoryLimit"], found["strategy"]) == (0, 0, {"type": "Recreate"})
    assert pod(containers=[], terminationGracePeriodSeconds=0, enableServiceLinks=False)["spec"] | {"x": 0} == {
        "containers": [],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 0,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "enableServiceLinks": False,
        "x": 0,
    }


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, {"completions": 1, "parallelism": 1, "backoffLimit": 6, "podReplacementPolicy": "TerminatingOrFailed"}),
        ({"parallelism": 3}, {"completions": None, "parallelism": 3}),
        ({"completions": 3}, {"completions": 3, "parallelism": 1}),
        ({"backoffLimitPerIndex": 1}, {"backoffLimit": 2**31 - 1}),
        ({"podFailurePolicy": {"rules": []}}, {"podReplacementPolicy": "Failed"}),
    ],
)
def test_a_job_counts_as_kubernetes_counts(spec: dict[str, Any], expected: dict[str, Any]) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}
    job = defaulted("batch/v1", "Job", {"spec": {"template": template, **spec}})
    assert {name: job["spec"].get(name) for name in expected} == expected
    assert (job["spec"]["completionMode"], job["spec"]["suspend"]) == ("NonIndexed", False)
    assert job["metadata"]["labels"] == {"a": "b"}


def test_a_template_of_jobs_is_no_job_yet() -> None:
    spec = {"schedule": "@hourly", "jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}}
    found = defaulted("batch/v1", "CronJob", {"spec": spec})["spec"]
    assert (found["concurrencyPolicy"], found["suspend"]) == ("Allow", False)
    assert (found["successfulJobsHistoryLimit"], found["failedJobsHistoryLimit"]) == (3, 1)
    assert found["jobTemplate"]["spec"].keys() == {"template"}
    assert found["jobTemplate"]["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirst"


def test_services_lead_to_their_own_port() -> None:
    spec = {"ports": [{"port": 80}, {"port": 81, "targetPort": "http"}]}
    found = defaulted("v1", "Service", {"spec": spec})["spec"]
    assert found["ports"] == [
        {"protocol": "TCP", "port": 80, "targetPort": 80},
        {"protocol": "TCP", "port": 81, "targetPort": "http"},
    ]
    assert (found["type"], found["sessionAffinity"], found["internalTrafficPolicy"]) == ("ClusterIP", "None", "Cluster")
    assert "externalTrafficPolicy" not in found
    sticky = defaulted("v1", "Service", {"spec": {"type": "NodePort", "sessionAffinity": "ClientIP"}})["spec"]
    assert sticky["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}
    assert sticky["externalTrafficPolicy"] == "Cluster"
    named = defaulted("v1", "Service", {"spec": {"type": "ExternalName", "externalName": "a.b"}})["spec"]
    assert "internalTrafficPolicy" not in named


def test_what_is_said_in_two_ways_is_said_in_both() -> None:
    secret = defaulted("v1", "Secret", {"data": {"a": "YQ==", "b": "Yg=="}, "stringData": {"b": "é"}})
    assert (secret["data"], "stringData" in secret) == ({"a": "YQ==", "b": "w6k="}, False)
    for name in ("serviceAccount", "serviceAccountName"):
        spec = pod(containers=[], **{name: "robot"})["spec"]
        assert (spec["serviceAccount"], spec["serviceAccountName"]) == ("robot", "robot")
    assert pod(containers=[], serviceAccount="old", serviceAccountName="new")["spec"]["serviceAccount"] == "new"
    status = {"podIP": "10.0.0.2", "podIPs": [{"ip": "10.0.0.1"}], "hostIPs": [{"ip": "10.1.0.1"}]}
    found = defaulted("v1", "Pod", {"status": status})["status"]
    assert (found["podIPs"], found["hostIP"]) == ([{"ip": "10.0.0.2"}], "10.1.0.1")
    node = defaulted("v1", "Node", {"spec": {"podCIDR": "10.0.0.0/24"}})
    assert node["spec"]["podCIDRs"] == ["10.0.0.0/24"]


def test_small_kinds_are_completed() -> None:
    space = defaulted("v1", "Namespace", {"metadata": {"name": "x", "labels": {"a": "b"}}})
    assert space["metadata"]["labels"] == {"a": "b", "kubernetes.io/metadata.name": "x"}
    assert space["status"] == {"phase": "Active"}
    assert defaulted("v1", "Secret", {})["type"] == "Opaque"
    binding = {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User", "name": "u"}]}
    binding["subjects"].append({"kind": "ServiceAccount", "name": "s"})
    found = defaulted("rbac.authorization.k8s.io/v1", "RoleBinding", binding)
    assert found["roleRef"]["apiGroup"] == found["subjects"][0]["apiGroup"] == "rbac.authorization.k8s.io"
    assert "apiGroup" not in found["subjects"][1]
    storage = defaulted("storage.k8s.io/v1", "StorageClass", {"provisioner": "p"})
    assert (storage["reclaimPolicy"], storage["volumeBindingMode"]) == ("Delete", "Immediate")
    node = defaulted("v1", "Node", {"status": {"capacity": {"cpu": "2"}}})
    assert node["status"]["allocatable"] == {"cpu": "2"}


def test_limits_of_containers_follow_from_each_other() -> None:
    limits = [
        {"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "100m", "memory": "1Mi"}},
        {"type": "Container", "default": {"cpu": "1"}, "defaultRequest": {"cpu": "500m"}, "max": {"cpu": "2"}},
        {"type": "Pod", "max": {"cpu": "2"}},
    ]
    first, second, third = defaulted("v1", "LimitRange", {"spec": {"limits": limits}})["spec"]["limits"]
    assert (first["default"], first["defaultRequest"]) == ({"cpu": "2"}, {"cpu": "2", "memory": "1Mi"})
    assert (second["default"], second["defaultRequest"]) == ({"cpu": "1"}, {"cpu": "500m"})
    assert third == {"type": "Pod", "max": {"cpu": "2"}}
