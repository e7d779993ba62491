"""kubectl against a cluster of ours: each command as a user types it, with what the user sees."""

from __future__ import annotations

import json
import re
import select
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.kubectl import NEW, Kubectl, cluster, columns, program

pytestmark = [pytest.mark.clients, pytest.mark.root]


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    with cluster(tmp_path_factory.mktemp("cluster")) as kubeconfig:
        yield Kubectl(program(NEW), kubeconfig)


def test_version_and_namespaces(kubectl: Kubectl) -> None:
    assert "Server Version: v1.32" in kubectl("version")
    rows = columns(kubectl("get", "namespaces"))
    assert rows[0] == ["NAME", "STATUS", "AGE"]
    assert [row[:2] for row in rows[1:]] == [
        [name, "Active"] for name in ("default", "kube-node-lease", "kube-public", "kube-system")
    ]


def test_create_get_and_delete(kubectl: Kubectl) -> None:
    assert kubectl("create", "configmap", "one", "--from-literal=key=value") == "configmap/one created\n"
    assert kubectl("get", "configmap", "one", "-o", "jsonpath={.data.key}") == "value"
    names = {each["metadata"]["name"] for each in json.loads(kubectl("get", "cm", "-o", "json"))["items"]}
    assert names == {"one", "kube-root-ca.crt"}
    assert kubectl("get", "cm", "-o", "custom-columns=N:.metadata.name", "--no-headers").split() == sorted(names)
    assert kubectl.refused("create", "configmap", "one").endswith('configmaps "one" already exists\n')
    assert kubectl("delete", "configmap", "one") == 'configmap "one" deleted\n'
    assert kubectl.refused("get", "cm", "one") == 'Error from server (NotFound): configmaps "one" not found\n'
    assert kubectl.run("get", "secrets").stderr == "No resources found in default namespace.\n"


def test_a_deployment_as_kubectl_makes_it(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "web", "--image=web:1", "--replicas=3", "--port=80")
    rows = columns(kubectl("get", "deployment", "-o", "wide"))
    assert rows[0] == ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
    assert rows[1][0] == "web"
    assert rows[1][5:] == ["web", "web:1", "app=web"]
    assert "RollingUpdateStrategy:  25% max unavailable, 25% max surge" in kubectl("describe", "deployment", "web")
    assert kubectl("delete", "deployment", "web") == 'deployment.apps "web" deleted\n'


def test_a_service_has_an_address(kubectl: Kubectl) -> None:
    kubectl("create", "service", "clusterip", "front", "--tcp=80:8080")
    row = columns(kubectl("get", "service", "front", "--no-headers"))[0]
    assert row[0:2] + row[3:5] == ["front", "ClusterIP", "<none>", "80/TCP"]
    assert row[2].startswith("10.")
    kubectl("delete", "service", "front")


def test_explain_and_api_resources(kubectl: Kubectl) -> None:
    assert "replicas" in kubectl("explain", "deployment.spec")
    names = kubectl("api-resources", "-o", "name").split()
    assert {"pods", "deployments.apps", "jobs.batch", "roles.rbac.authorization.k8s.io"} <= set(names)


def test_rights(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "delete", "nodes") == "yes\n"
    assert kubectl.run("auth", "can-i", "delete", "nodes", "--as=joe").stdout == "no\n"
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl("create", "rolebinding", "joe", "--role=reader", "--user=joe")
    assert kubectl("auth", "can-i", "get", "pods", "--as=joe") == "yes\n"
    assert kubectl("get", "pods", "-l=app=none", "--as=joe", "--ignore-not-found") == ""
    refused = (
        'secrets is forbidden: User "joe" cannot list resource "secrets" in API group "" in the namespace "default"'
    )
    assert refused in kubectl.refused("get", "secrets", "--as=joe")
    kubectl("delete", "role/reader", "rolebinding/joe")


def test_a_watch_tells_what_happens(kubectl: Kubectl) -> None:
    watch = kubectl.start("get", "cm", "--watch-only", "-o", "name")
    try:
        assert watch.stdout is not None
        with watch.stdout as told:
            for number in range(50):  # until the watch has begun
                kubectl("create", "configmap", f"seen-{number}")
                if select.select([told], [], [], 0.2)[0]:
                    break
            assert re.fullmatch(r"configmap/seen-\d+\n", told.readline())
    finally:
        watch.kill()
        watch.wait()
        kubectl("delete", *(name for name in kubectl("get", "cm", "-o", "name").split() if "seen" in name))


def test_broken_and_unknown_fields_are_told(kubectl: Kubectl) -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nspec: {}\n"
    done = kubectl.run("create", "-f", "-", input=manifest)
    assert 'strict decoding error: unknown field "spec"' in done.stderr
    assert done.returncode == 1


POD = """
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: p}}
spec:
  terminationGracePeriodSeconds: 1
  volumes:
  - {name: map, configMap: {name: map}}
  - {name: shared, emptyDir: {}}
  initContainers:
  - name: init
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "cat /map/key > /shared/file"]
    volumeMounts: [{name: map, mountPath: /map}, {name: shared, mountPath: /shared}]
  containers:
  - name: main
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "echo $A $(cat /shared/file); exec sleep 1000"]
    env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    volumeMounts: [{name: shared, mountPath: /shared}]
    readinessProbe: {exec: {command: [test, -e, /shared/file]}, periodSeconds: 1}
"""


@pytest.fixture(scope="module")
def pod(kubectl: Kubectl) -> Iterator[str]:
    kubectl("create", "configmap", "map", "--from-literal=key=value")
    kubectl("apply", "-f", "-", input=POD)
    kubectl("wait", "--for=condition=Ready", "pod/p", "--timeout=50s")
    yield "p"
    assert kubectl("delete", "pod", "p") == 'pod "p" deleted\n'
    kubectl("delete", "configmap", "map")


def test_a_pod_runs_and_says_so(kubectl: Kubectl, pod: str) -> None:
    rows = columns(kubectl("get", "pod", pod, "-o", "wide"))
    assert rows[0][:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert rows[1][:4] == ["p", "1/1", "Running", "0"]
    told = kubectl("describe", "pod", pod)
    for said in ("Successfully assigned default/p to", "Created container: main", "Started container main"):
        assert said in told
    before = kubectl("get", "pod", pod, "-o", "jsonpath={.spec}")
    kubectl("apply", "-f", "-", input=POD)
    assert kubectl("get", "pod", pod, "-o", "jsonpath={.spec}") == before


def test_logs_exec_and_cp(kubectl: Kubectl, pod: str, tmp_path: Path) -> None:
    assert kubectl("logs", pod) == "p value\n"
    assert kubectl("exec", pod, "--", "cat", "/shared/file") == "value"
    assert kubectl("exec", "-i", pod, "--", "cat", input="through") == "through"
    failed = kubectl.run("exec", pod, "-c", "main", "--", "sh", "-c", "echo no >&2; exit 7")
    assert (failed.returncode, failed.stderr) == (7, "no\ncommand terminated with exit code 7\n")
    kubectl("cp", f"{pod}:/shared/file", str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "value"


def test_a_deployment_rolls_out_heals_and_goes_back(kubectl: Kubectl) -> None:
    program = ("sh", "-c", "trap exit TERM; while :; do sleep 0.1; done")
    made = ("create", "deployment", "app", "--image=busybox", "--replicas=2", "--dry-run=client", "-o", "json")
    manifest = kubectl(*made, "--", *program)
    document = json.loads(manifest)
    document["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent"
    kubectl("apply", "-f", "-", input=json.dumps(document))
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/app", "--timeout=50s")
    first = kubectl("get", "pods", "-l", "app=app", "-o", "name").split()
    kubectl("delete", first[0])
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", "deployment/app", "--timeout=50s")
    kubectl("set", "env", "deployment/app", "A=b")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/app", "--timeout=50s")
    kubectl("rollout", "undo", "deployment/app")
    assert "successfully rolled out" in kubectl("rollout", "status", "deployment/app", "--timeout=50s")
    assert kubectl("get", "deployment", "app", "-o", "jsonpath={.spec.template.spec.containers[0].env}") == ""
    kubectl("delete", "deployment", "app")
    kubectl("wait", "--for=delete", "pods", "-l", "app=app", "--timeout=50s")


def test_a_service_leads_to_its_pods(kubectl: Kubectl) -> None:
    serve = "hostname > /tmp/index.html; httpd -f -p 8080 -h /tmp & trap exit TERM; wait"
    kubectl("create", "deployment", "served", "--image=busybox", "--replicas=2", "--", "sh", "-c", serve)
    kubectl("expose", "deployment", "served", "--port=80", "--target-port=8080")
    kubectl("rollout", "status", "deployment/served", "--timeout=50s")
    kubectl("wait", "--for=jsonpath={.endpoints[1].conditions.ready}=true", "endpointslice",
            "-l", "kubernetes.io/service-name=served", "--timeout=20s")  # fmt: skip
    address = kubectl("get", "service", "served", "-o", "jsonpath={.spec.clusterIP}")
    ask = f"for i in 1 2 3 4 5 6 7 8; do printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 {address} 80 | tail -1; done"
    names = {name.removeprefix("pod/") for name in kubectl("get", "pods", "-l", "app=served", "-o", "name").split()}
    asker = sorted(names)[0]
    answers = set(kubectl("exec", asker, "--", "sh", "-c", f"sleep 0.5; {ask}").split())
    assert answers <= names
    assert answers
    kubectl("delete", "service/served", "deployment/served")
    kubectl("wait", "--for=delete", "pods", "-l", "app=served", "--timeout=50s")


def test_a_job_completes(kubectl: Kubectl) -> None:
    kubectl("create", "job", "once", "--image=busybox", "--", "echo", "done")
    kubectl("wait", "--for=condition=Complete", "job/once", "--timeout=50s")
    assert kubectl("logs", "job/once") == "done\n"
    kubectl("delete", "job", "once")
    kubectl("wait", "--for=delete", "pods", "-l", "job-name=once", "--timeout=50s")


def test_a_namespace_goes_with_all_that_is_in_it(kubectl: Kubectl) -> None:
    kubectl("create", "namespace", "short")
    kubectl("create", "configmap", "in", "-n", "short")
    kubectl("delete", "namespace", "short", "--timeout=50s")
    assert "short" not in kubectl("get", "namespaces")
