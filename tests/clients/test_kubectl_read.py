"""What kubectl shows: get in each form, describe of each kind, watches, explain, rights, the server of itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from tests.clients.kubectl import NEW, Kubectl, columns, program

pytestmark = [pytest.mark.clients, pytest.mark.root]
LABELS = {"app": "it"}
CONTAINER = {"name": "c", "image": "busybox:1", "command": ["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"]}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": {"containers": [CONTAINER], "terminationGracePeriodSeconds": 1}}
ENDING = {
    "metadata": {"labels": {"app": "ending"}},
    "spec": {"containers": [{**CONTAINER, "command": ["true"]}], "restartPolicy": "Never"},
}
SELECTED = {"selector": {"matchLabels": LABELS}, "template": TEMPLATE}
RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
RBAC = "rbac.authorization.k8s.io"
# Each kind -> its document without name, and what describe must say of it.
KINDS = {
    "Deployment": ("apps/v1", {"spec": {**SELECTED, "replicas": 1}}, ["NewReplicaSet:", "ScalingReplicaSet"]),
    "ReplicationController": (
        "v1",
        {"spec": {"template": TEMPLATE, "replicas": 1}},
        ["Pods Status:", "SuccessfulCreate"],
    ),
    "Ingress": (
        "networking.k8s.io/v1",
        {"spec": {"defaultBackend": {"service": {"name": "it", "port": {"number": 80}}}}},
        ["Default backend:", "it:80"],
    ),
    "StatefulSet": ("apps/v1", {"spec": {**SELECTED, "serviceName": "it"}}, ["Update Strategy:", "SuccessfulCreate"]),
    "DaemonSet": ("apps/v1", {"spec": SELECTED}, ["Desired Number of Nodes Scheduled: 1", "SuccessfulCreate"]),
    "Job": ("batch/v1", {"spec": {"template": ENDING}}, ["Pods Statuses:", "SuccessfulCreate"]),
    "CronJob": (
        "batch/v1",
        {"spec": {"schedule": "@yearly", "jobTemplate": {"spec": {"template": ENDING}}}},
        ["Schedule:", "Concurrency Policy:"],
    ),
    "ConfigMap": ("v1", {"data": {"key": "value"}}, ["key:\n----\nvalue"]),
    "Secret": ("v1", {"stringData": {"key": "value"}}, ["key:  5 bytes"]),
    "Service": ("v1", {"spec": {"selector": LABELS, "ports": [{"port": 80}]}}, ["Type:", "TargetPort:", "80/TCP"]),
    "ServiceAccount": ("v1", {}, ["Image pull secrets:  <none>"]),
    "PersistentVolumeClaim": (
        "v1",
        {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}},
        ["Access Modes:", "StorageClass:"],
    ),
    "Role": (f"{RBAC}/v1", {"rules": RULES}, ["pods       []                 []              [get]"]),
    "RoleBinding": (
        f"{RBAC}/v1",
        {"roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "it"}, "subjects": [{"kind": "User", "name": "joe"}]},
        ["Kind:  Role", "User  joe"],
    ),
    "PodDisruptionBudget": (
        "policy/v1",
        {"spec": {"selector": {"matchLabels": LABELS}, "minAvailable": 1}},
        ["Min available:", "Allowed disruptions:"],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_describe_tells_of_each_kind(kubectl: Kubectl, kind: str) -> None:
    version, document, said = KINDS[kind]
    kubectl.apply({"apiVersion": version, "kind": kind, "metadata": {"name": "it", "labels": LABELS}, **document})
    told = described(kubectl, kind.lower(), said)
    assert re.search(r"^Name: +it$", told, re.MULTILINE)
    for each in said:
        assert each in told, told


def described(kubectl: Kubectl, kind: str, said: list[str]) -> str:
    """What describe tells, once the controllers have said what they did."""
    for _ in range(30):
        told = kubectl("describe", kind, "it")
        if all(each in told for each in said):
            break
    return told


def test_describe_of_what_belongs_to_no_namespace(kubectl: Kubectl) -> None:
    told = kubectl("describe", "node")
    for said in ("Roles:              control-plane", "KubeletReady", "cpu:", "Container Runtime Version:  jubako://"):
        assert said in told
    assert "Status:       Active" in kubectl("describe", "namespace", kubectl.namespace)
    assert "PolicyRule:" in kubectl("describe", "clusterrole", "view")
    assert "Group  system:masters" in kubectl("describe", "clusterrolebinding", "cluster-admin")


def test_the_node_lists_what_runs_on_it(kubectl: Kubectl) -> None:
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", **TEMPLATE, "metadata": {"name": "it"}})
    kubectl("wait", "--for=condition=Ready", "pod/it", "--timeout=20s")
    assert re.search(rf"{kubectl.namespace} +it ", kubectl("describe", "node"))
    on = kubectl.one(".spec.nodeName", "pod", "it")
    named = kubectl("get", "pods", "-A", f"--field-selector=spec.nodeName={on},status.phase!=Failed", "-o", "name")
    assert "pod/it" in named.split()


@pytest.fixture
def maps(kubectl: Kubectl) -> Kubectl:
    for number in (3, 1, 2):
        metadata = {"name": f"m{number}", "labels": {"number": str(number)}}
        kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"key": f"v{number}"}})
    kubectl("delete", "configmap", "kube-root-ca.crt", "--ignore-not-found")
    return kubectl


def test_get_in_each_form(maps: Kubectl) -> None:
    one = ["get", "configmap", "m1"]
    assert json.loads(maps(*one, "-o", "json"))["data"] == {"key": "v1"}
    assert yaml.safe_load(maps(*one, "-o", "yaml"))["data"] == {"key": "v1"}
    assert maps(*one, "-o", "jsonpath={.data.key}") == "v1"
    assert maps(*one, "-o", "go-template={{.data.key}}") == "v1"
    assert maps(*one, "-o", "name") == "configmap/m1\n"
    assert maps(*one, "-o", "custom-columns=NAME:.metadata.name,K:.data.key").split() == ["NAME", "K", "m1", "v1"]
    selected = ["get", "configmap", "-l", "number in (1,3)"]
    assert [row[0] for row in columns(maps(*selected))] == ["NAME", "m1", "m3"]
    assert columns(maps(*selected, "-L", "number", "--show-labels"))[0] == ["NAME", "DATA", "AGE", "NUMBER", "LABELS"]
    numbers = maps("get", "cm", "-l", "number", "--sort-by=.data.key", "-o", "name").split()
    assert numbers == [f"configmap/m{number}" for number in (1, 2, 3)]
    assert maps("get", "cm", "-l", "number", "--chunk-size=1", "-o", "name").split() == numbers
    assert maps("get", "cm", "--field-selector=metadata.name=m2", "-o", "name") == "configmap/m2\n"


def test_get_watches_until_told_to_stop(maps: Kubectl) -> None:
    watch = maps.start("get", "configmap", "m1", "-w", "-o", "jsonpath={.data.key}{'\\n'}")
    try:
        assert watch.stdout is not None
        with watch.stdout as told:
            assert told.readline() == "v1\n"
            maps("patch", "configmap", "m1", "-p", '{"data":{"key":"other"}}')
            assert told.readline() == "other\n"
    finally:
        watch.kill()
        watch.wait()


def test_explain_knows_fields_and_their_tree(kubectl: Kubectl) -> None:
    assert re.search(r"rollingUpdate\t<\w+>", kubectl("explain", "deployment.spec.strategy"))
    tree = kubectl("explain", "pod.spec", "--recursive")
    for field in ("livenessProbe", "terminationGracePeriodSeconds", "topologySpreadConstraints"):
        assert re.search(rf"^ +{field}\b", tree, re.MULTILINE)
    assert "nothing" in kubectl.refused("explain", "pod.spec.nothing")


def test_what_the_server_says_of_itself(kubectl: Kubectl) -> None:
    names = kubectl("api-resources", "-o", "name").split()
    assert {"pods", "deployments.apps", "cronjobs.batch", f"roles.{RBAC}", "poddisruptionbudgets.policy"} <= set(names)
    assert {"v1", "apps/v1", "batch/v1", f"{RBAC}/v1"} <= set(kubectl("api-versions").split())
    assert "configmaps" in kubectl("api-resources", "--namespaced=true", "--verbs=list,create", "-o", "name").split()
    told = kubectl("cluster-info")
    assert re.search(r"(control plane|master).* is running at .*https://127\.0\.0\.1:\d+", told)
    assert re.search(r"Server Version: .*v1\.32", kubectl("version"))
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert kubectl("get", "--raw", "/readyz?verbose") == "[+]ping ok\nreadyz check passed\n"
    assert kubectl("get", "nodes", "-l", "beta.kubernetes.io/os=linux", "-o", "name").startswith("node/")
    for what in ("pods", "nodes"):
        assert kubectl.run("top", what).stderr == "error: Metrics API not available\n"


def test_the_kubeconfig_is_one_that_kubectl_can_change(kubectl: Kubectl) -> None:
    (context,) = kubectl("config", "get-contexts", "-o", "name").split()
    assert kubectl("config", "current-context").strip() == context
    shown = yaml.safe_load(kubectl("config", "view"))
    assert shown["current-context"] == context
    assert shown["users"][0]["user"]["client-key-data"] in ("REDACTED", "DATA+OMITTED")


def test_rights_are_told_one_by_one_and_as_a_list(kubectl: Kubectl) -> None:
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "joe", "--role=reader", "--user=joe")
    assert kubectl("auth", "can-i", "list", "pods", "--as=joe") == "yes\n"
    assert kubectl.run("auth", "can-i", "delete", "pods", "--as=joe").stdout == "no\n"
    rows = columns(kubectl("auth", "can-i", "--list", "--as=joe"))
    assert rows[0] == ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"]
    assert ["pods", "[]", "[]", "[get list]"] in rows
    assert ["*.*", "[]", "[]", "[*]"] in columns(kubectl("auth", "can-i", "--list"))


def test_a_token_speaks_for_its_account(kubectl: Kubectl) -> None:
    new = Kubectl(program(NEW), kubectl.kubeconfig, kubectl.namespace)
    kubectl("create", "serviceaccount", "robot")
    kubectl("create", "rolebinding", "robot", "--clusterrole=view", f"--serviceaccount={kubectl.namespace}:robot")
    token = new("create", "token", "robot", "--duration=10m").strip()
    config = yaml.safe_load(kubectl("config", "view", "--raw"))
    config["users"] = [{"name": config["contexts"][0]["context"]["user"], "user": {"token": token}}]
    path = kubectl.kubeconfig.with_name(f"{kubectl.namespace}.kubeconfig")
    path.write_text(yaml.safe_dump(config))
    robot = Kubectl(kubectl.program, path, kubectl.namespace)
    assert robot.run("get", "configmaps").returncode == 0
    assert f'User "system:serviceaccount:{kubectl.namespace}:robot" cannot delete' in robot.refused("delete", "cm", "x")


def test_events_are_listed_by_what_they_are_about(kubectl: Kubectl) -> None:
    kubectl.apply({"apiVersion": "v1", "kind": "Pod", **TEMPLATE, "metadata": {"name": "it"}})
    kubectl("wait", "--for=condition=Ready", "pod/it", "--timeout=20s")
    rows = columns(kubectl("get", "events", "--field-selector=involvedObject.name=it"))
    assert rows[0] == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert {"Scheduled", "Pulled", "Created", "Started"} <= {row[2] for row in rows}
    if not kubectl.is_old:
        assert "Started container c" in kubectl("events", "--for=pod/it")


def test_the_whole_cluster_is_dumped(kubectl: Kubectl, tmp_path: Path) -> None:
    kubectl("cluster-info", "dump", "--output-directory", str(tmp_path), "--namespaces", "kube-system")
    assert {each.name for each in (tmp_path / "kube-system").iterdir()} >= {
        "services.json",
        "replication-controllers.json",
    }
