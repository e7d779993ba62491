"""What a real kubectl sends is read field by field and written back byte by byte; what it asks for, it understands."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.recording import Kubectl, recording

from jubako.cluster.types.decoding.body import PROTOBUF_TYPE, decode
from jubako.cluster.types.protobuf import envelope

pytestmark = pytest.mark.clients
CREATIONS = {
    "Deployment": "deployment web --image=nginx --replicas=3 --port=80",
    "ConfigMap": "configmap settings --from-literal=a=b",
    "Secret": "secret generic keys --from-literal=a=b",
    "Secret of a registry": "secret docker-registry login --docker-username=u --docker-password=p",
    "Service": "service clusterip web --tcp=80:http",
    "Service on nodes": "service nodeport web --tcp=80:80 --node-port=30001",
    "Service elsewhere": "service externalname web --external-name=example.com",
    "ServiceAccount": "serviceaccount robot",
    "Job": "job once --image=busybox -- true",
    "CronJob": "cronjob often --image=busybox --schedule=@hourly -- true",
    "Role": "role reader --verb=get --resource=pods --resource=deployments.apps",
    "RoleBinding": "rolebinding readers --role=reader --user=u --serviceaccount=default:robot",
    "ClusterRole": "clusterrole health --verb=get --non-resource-url=/healthz",
    "ClusterRoleBinding": "clusterrolebinding health --clusterrole=health --group=g",
    "PodDisruptionBudget": "poddisruptionbudget web --selector=app=web --min-available=50%",
    "PriorityClass": "priorityclass high --value=1000 --description=x",
    "Namespace": "namespace other",
}


def sends_protobuf(program: str) -> bool:
    told = subprocess.run([program, "version", "--client", "--output=json"], capture_output=True, check=True)
    return int(json.loads(told.stdout)["clientVersion"]["minor"].rstrip("+")) >= 32


@pytest.fixture
def kubectl(tmp_path: Path) -> Iterator[Kubectl]:
    program = shutil.which("kubectl")
    if program is None or not sends_protobuf(program):
        pytest.skip("needs kubectl 1.32 or later")
    with recording() as server:
        yield Kubectl(program, server, tmp_path)


@pytest.fixture
def old_kubectl(tmp_path: Path) -> Iterator[Kubectl]:
    """The kubectl of Debian, which `./dev clients` unpacks."""
    program = Path(sys.prefix) / "opt/kubernetes-client/usr/bin/kubectl"
    if not program.exists():
        pytest.skip("needs Debian's kubernetes-client unpacked, as ./dev clients does it")
    with recording() as server:
        yield Kubectl(str(program), server, tmp_path)


@pytest.mark.parametrize("arguments", CREATIONS.values(), ids=CREATIONS.keys())
def test_protobuf_of_kubectl_comes_back_byte_by_byte(kubectl: Kubectl, arguments: str) -> None:
    kubectl("create", *arguments.split(" "))
    (sent,) = kubectl.server.sent
    assert sent.media_type == PROTOBUF_TYPE
    document = decode(sent.body, sent.kind, media_type=PROTOBUF_TYPE).document
    assert envelope.wrap(sent.kind.message, document) == sent.body


@pytest.mark.parametrize("arguments", CREATIONS.values(), ids=CREATIONS.keys())
def test_protobuf_and_json_of_kubectl_are_the_same_document(kubectl: Kubectl, arguments: str) -> None:
    shown = kubectl("create", "--dry-run=client", "--output=json", *arguments.split(" "))
    kubectl("create", *arguments.split(" "))
    (sent,) = kubectl.server.sent
    document: Any = decode(sent.body, sent.kind, media_type=PROTOBUF_TYPE).document
    expected: Any = decode(shown.encode(), sent.kind, validation="Strict").document
    assert document == expected
    assert document == json.loads(shown)


def test_kubectl_explains_from_both_forms_of_openapi(kubectl: Kubectl, old_kubectl: Kubectl) -> None:
    for text in (
        kubectl("explain", "pod.spec.containers"),
        kubectl("explain", "pod.spec.containers", "--output=plaintext-openapiv2"),
        old_kubectl("explain", "pod.spec.containers"),
    ):
        assert "One container of a pod." in text or "at least one" in text
        assert "imagePullPolicy" in text
        assert "-required-" in text


def test_the_kubectl_of_debian_lists_what_is_served_and_validates(old_kubectl: Kubectl, kubectl: Kubectl) -> None:
    assert old_kubectl("api-resources", "--no-headers").split() == kubectl("api-resources", "--no-headers").split()
    good = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "b"}})
    old_kubectl("create", "-f", "-", input=good)
    bad = old_kubectl.run("create", "-f", "-", input=good.replace("data", "date"))
    assert 'unknown field "date"' in bad.stderr


@pytest.mark.parametrize("arguments", CREATIONS.values(), ids=CREATIONS.keys())
def test_the_kubectl_of_debian_creates_each_kind(old_kubectl: Kubectl, arguments: str) -> None:
    done = old_kubectl.run("create", *arguments.split(" "))
    assert done.returncode == 0, done.stderr
    (sent,) = old_kubectl.server.sent
    assert decode(sent.body, sent.kind, validation="Strict").document["kind"] == sent.kind.name


PODS = [
    {"name": "web", "created": "2026-01-10T11:58:30Z"},
    {"name": "crashing", "created": "2026-01-02T12:00:00Z", "restarts": 3},
]


def pod(name: str, created: str, restarts: int = 0) -> Any:
    state: Any = {"waiting": {"reason": "CrashLoopBackOff"}} if restarts else {"running": {}}
    status: Any = {"name": "c", "ready": not restarts, "restartCount": restarts, "state": state}
    if restarts:
        status["lastState"] = {"terminated": {"exitCode": 1, "finishedAt": "2026-01-10T11:55:00Z"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": created},
        "spec": {"containers": [{"name": "c"}], "nodeName": "here"},
        "status": {"phase": "Running", "podIP": "10.0.0.7", "containerStatuses": [status]},
    }


@pytest.mark.parametrize("wide", [False, True])
def test_kubectl_prints_our_columns(kubectl: Kubectl, old_kubectl: Kubectl, wide: bool) -> None:
    expected = {
        False: """
NAME       READY   STATUS             RESTARTS     AGE
web        1/1     Running            0            90s
crashing   0/1     CrashLoopBackOff   3 (5m ago)   8d
""",
        True: """
NAME       READY   STATUS             RESTARTS     AGE   IP         NODE   NOMINATED NODE   READINESS GATES
web        1/1     Running            0            90s   10.0.0.7   here   <none>           <none>
crashing   0/1     CrashLoopBackOff   3 (5m ago)   8d    10.0.0.7   here   <none>           <none>
""",
    }
    for each in (kubectl, old_kubectl):
        items = [pod(**row) for row in PODS]
        each.server.objects["/api/v1/namespaces/default/pods"] = {"kind": "PodList", "apiVersion": "v1", "items": items}
        assert each("get", "pods", *(["-o", "wide"] if wide else [])) == expected[wide].lstrip()


def test_kubectl_makes_a_strategic_patch_by_our_merge_keys(kubectl: Kubectl) -> None:
    pod: Any = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "default"}}
    pod["spec"] = {"containers": [{"name": "x", "image": "one"}, {"name": "y", "image": "two"}]}
    kubectl("create", "--save-config", "-f", "-", input=json.dumps(pod))
    live = json.loads(kubectl.server.sent[-1].body)
    path = "/api/v1/namespaces/default/pods/a"
    kubectl.server.objects[path] = live
    pod["spec"]["containers"][1]["image"] = "three"
    kubectl("apply", "-f", "-", input=json.dumps(pod))
    patch = json.loads(kubectl.server.sent[-1].body)
    assert kubectl.server.sent[-1].media_type == "application/strategic-merge-patch+json"
    assert patch["spec"]["containers"] == [{"name": "y", "image": "three"}]
    assert {"/openapi/v3", "/openapi/v3/api/v1"} <= {asked for asked, _ in kubectl.server.asked}
