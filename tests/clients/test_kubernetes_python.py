"""The Python client of Kubernetes: typed and dynamic, from outside with a kubeconfig and from inside with a token."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream
from tests.clients.kubectl import NEW, Kubectl, program

pytestmark = [pytest.mark.clients, pytest.mark.root]
NAMESPACE = "python"
ENDLESS = ["sh", "-c", "trap exit TERM; echo begun; while :; do sleep 0.1; done"]
# What a program in a pod does, with the files of its service account: they are given, as busybox has no Python.
INSIDE = """
import sys
from kubernetes import client
from kubernetes.config.incluster_config import InClusterConfigLoader
token, authority, host, port = sys.argv[1:]
where = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
InClusterConfigLoader(token, authority, environ=where).load_and_set()
api = client.CoreV1Api()
print(sorted(each.metadata.name for each in api.list_namespaced_config_map("python").items))
try:
    api.delete_namespaced_config_map("seen", "python")
except client.ApiException as error:
    print(error.status, error.reason)
"""


@pytest.fixture(scope="module")
def api(kubeconfig: Path) -> Iterator[client.ApiClient]:
    made = config.new_client_from_config(str(kubeconfig))
    core = client.CoreV1Api(made)
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NAMESPACE)))
    yield made
    core.delete_namespace(NAMESPACE)
    made.close()


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


def named(name: str, **more: Any) -> client.V1ObjectMeta:
    return client.V1ObjectMeta(name=name, **more)


def pod(name: str, command: list[str], restart: str = "Never") -> client.V1Pod:
    container = client.V1Container(name="main", image="busybox:1", command=command)
    spec = client.V1PodSpec(containers=[container], restart_policy=restart, termination_grace_period_seconds=1)
    return client.V1Pod(metadata=named(name, labels={"app": name}), spec=spec)


def until_phase(core: client.CoreV1Api, name: str, *phases: str) -> client.V1Pod:
    """Wait by a watch that begins with what is there."""
    watching = watch.Watch()
    selected = {"field_selector": f"metadata.name={name}", "timeout_seconds": 30}
    for event in watching.stream(core.list_namespaced_pod, NAMESPACE, **selected):
        if event["object"].status.phase in phases:
            watching.stop()
            return event["object"]
    raise AssertionError(f"{name} never was {phases}")


def test_create_read_replace_patch_list_and_delete(core: client.CoreV1Api) -> None:
    made = core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=named("one"), data={"a": "b"}))
    assert made.metadata.uid
    made.data = {"a": "c"}
    replaced = core.replace_namespaced_config_map("one", NAMESPACE, made)
    assert int(replaced.metadata.resource_version) > int(made.metadata.resource_version)
    with pytest.raises(ApiException) as stale:
        core.replace_namespaced_config_map("one", NAMESPACE, made)
    assert (stale.value.status, json.loads(stale.value.body)["reason"]) == (409, "Conflict")
    assert core.patch_namespaced_config_map("one", NAMESPACE, {"data": {"d": "e"}}).data == {"a": "c", "d": "e"}
    removing = [{"op": "remove", "path": "/data/a"}]  # a list makes it a JSON patch
    assert core.patch_namespaced_config_map("one", NAMESPACE, removing).data == {"d": "e"}
    assert core.delete_namespaced_config_map("one", NAMESPACE).status == "Success"
    with pytest.raises(ApiException) as gone:
        core.read_namespaced_config_map("one", NAMESPACE)
    assert gone.value.status == 404


def test_lists_come_in_pages(core: client.CoreV1Api) -> None:
    for number in range(5):
        made = client.V1Secret(metadata=named(f"s{number}", labels={"set": "a"}), string_data={"key": str(number)})
        core.create_namespaced_secret(NAMESPACE, made)
    names, more = [], ""
    while True:
        page = core.list_namespaced_secret(NAMESPACE, label_selector="set=a", limit=2, _continue=more)
        names += [each.metadata.name for each in page.items]
        more = page.metadata._continue
        if not more:
            break
    assert names == [f"s{number}" for number in range(5)]
    core.delete_collection_namespaced_secret(NAMESPACE, label_selector="set=a")
    assert core.list_namespaced_secret(NAMESPACE, label_selector="set=a").items == []


def test_a_watch_tells_from_where_the_list_was(core: client.CoreV1Api) -> None:
    since = core.list_namespaced_config_map(NAMESPACE).metadata.resource_version
    core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=named("seen")))
    core.patch_namespaced_config_map("seen", NAMESPACE, {"data": {"a": "b"}})
    core.delete_namespaced_config_map("seen", NAMESPACE)
    told = []
    watching = watch.Watch()
    listing = {"resource_version": since, "field_selector": "metadata.name=seen", "timeout_seconds": 20}
    for event in watching.stream(core.list_namespaced_config_map, NAMESPACE, **listing):
        told.append(event["type"])
        if event["type"] == "DELETED":
            watching.stop()
    assert told == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_from_a_version_that_is_yet_to_come_is_refused(core: client.CoreV1Api) -> None:
    told = watch.Watch().stream(core.list_namespaced_config_map, NAMESPACE, resource_version="999999999")
    with pytest.raises(ApiException) as early:
        next(told)
    assert early.value.status == 504


def test_logs_are_followed_and_commands_run_in_a_pod(core: client.CoreV1Api) -> None:
    core.create_namespaced_pod(NAMESPACE, pod("endless", ENDLESS))
    until_phase(core, "endless", "Running")
    lines = core.read_namespaced_pod_log("endless", NAMESPACE, follow=True, _preload_content=False)
    assert next(iter(lines)).splitlines()[0] == b"begun"
    lines.release_conn()
    run = ["sh", "-c", "echo out; echo err >&2; read word; echo got $word; exit 3"]
    channels = stream(
        core.connect_get_namespaced_pod_exec, "endless", NAMESPACE, command=run,
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )  # fmt: skip
    channels.write_stdin("word\n")
    channels.run_forever(timeout=20)
    assert (channels.read_stdout(), channels.read_stderr()) == ("out\ngot word\n", "err\n")
    assert channels.returncode == 3
    core.delete_namespaced_pod("endless", NAMESPACE, grace_period_seconds=0)


def test_a_job_and_a_deployment_come_about(api: client.ApiClient, core: client.CoreV1Api) -> None:
    batch, apps = client.BatchV1Api(api), client.AppsV1Api(api)
    template = client.V1PodTemplateSpec(metadata=named(None, labels={"app": "job"}), spec=pod("x", ["echo", "hi"]).spec)
    batch.create_namespaced_job(
        NAMESPACE, client.V1Job(metadata=named("job"), spec=client.V1JobSpec(template=template))
    )
    for event in watch.Watch().stream(batch.list_namespaced_job, NAMESPACE, timeout_seconds=30):
        if event["object"].status.succeeded:
            break
    assert (
        core.read_namespaced_pod_log(
            core.list_namespaced_pod(NAMESPACE, label_selector="app=job").items[0].metadata.name, NAMESPACE
        )
        == "hi\n"
    )
    labels = {"app": "web"}
    template = client.V1PodTemplateSpec(metadata=named(None, labels=labels), spec=pod("x", ENDLESS, "Always").spec)
    spec = client.V1DeploymentSpec(selector=client.V1LabelSelector(match_labels=labels), template=template, replicas=1)
    apps.create_namespaced_deployment(NAMESPACE, client.V1Deployment(metadata=named("web"), spec=spec))
    apps.patch_namespaced_deployment_scale("web", NAMESPACE, {"spec": {"replicas": 2}})
    for event in watch.Watch().stream(apps.list_namespaced_deployment, NAMESPACE, timeout_seconds=30):
        if event["object"].status.ready_replicas == 2:
            break
    assert apps.read_namespaced_deployment_status("web", NAMESPACE).status.available_replicas == 2
    batch.delete_namespaced_job("job", NAMESPACE, propagation_policy="Background")
    apps.delete_namespaced_deployment("web", NAMESPACE, propagation_policy="Foreground")
    for _ in range(200):
        if not apps.list_namespaced_deployment(NAMESPACE).items:
            break
        time.sleep(0.1)
    assert core.list_namespaced_pod(NAMESPACE, label_selector="app=web").items == []


def test_the_dynamic_client_finds_kinds_by_discovery(api: client.ApiClient) -> None:
    any_kind = dynamic.DynamicClient(api)
    maps = any_kind.resources.get(api_version="v1", kind="ConfigMap")
    made = maps.create({"metadata": {"name": "free"}, "data": {"a": "b"}}, namespace=NAMESPACE)
    assert made.data.to_dict() == {"a": "b"}
    patched = maps.patch(
        name="free", namespace=NAMESPACE, body={"data": {"c": "d"}}, content_type="application/merge-patch+json"
    )
    assert patched.data.c == "d"
    applied = maps.server_side_apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "free"}, "data": {"e": "f"}},
        namespace=NAMESPACE, field_manager="python",
    )  # fmt: skip
    assert applied.data.e == "f"
    seen = next(iter(maps.watch(namespace=NAMESPACE, field_selector="metadata.name=free", timeout=10)))
    assert (seen["type"], seen["object"].data.e) == ("ADDED", "f")
    maps.delete(name="free", namespace=NAMESPACE)
    deployments = any_kind.resources.get(api_version="apps/v1", kind="Deployment")
    assert "scale" in deployments.subresources


def test_a_program_inside_speaks_as_its_service_account(
    core: client.CoreV1Api, kubeconfig: Path, tmp_path: Path
) -> None:
    core.create_namespaced_config_map(NAMESPACE, client.V1ConfigMap(metadata=named("seen")))
    core.create_namespaced_pod(NAMESPACE, pod("inside", ENDLESS))
    until_phase(core, "inside", "Running")
    kubectl = Kubectl(program(NEW), kubeconfig, NAMESPACE)
    kubectl("create", "rolebinding", "inside", "--clusterrole=view", f"--serviceaccount={NAMESPACE}:default")
    files = "/var/run/secrets/kubernetes.io/serviceaccount"
    for name in ("token", "ca.crt"):
        (tmp_path / name).write_text(kubectl("exec", "inside", "--", "cat", f"{files}/{name}"))
    assert kubectl("exec", "inside", "--", "cat", f"{files}/namespace") == NAMESPACE
    host, port = core.api_client.configuration.host.removeprefix("https://").split(":")
    told = subprocess.run(
        [sys.executable, "-c", INSIDE, tmp_path / "token", tmp_path / "ca.crt", host, port],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert told == ["['kube-root-ca.crt', 'seen']", "403 Forbidden"]
    core.delete_namespaced_pod("inside", NAMESPACE, grace_period_seconds=0)
