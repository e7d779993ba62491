"""How kubectl changes what is there: apply, diff, edit, the patches, set, label, annotate, expose, scale, rollout."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.clients.kube_case import becomes
from tests.clients.kubectl import Kubectl, columns

pytestmark = [pytest.mark.clients, pytest.mark.root]
ENDLESS = ["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"]
WEB: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {"name": "main", "image": "busybox:1", "command": ENDLESS, "ports": [{"containerPort": 80}]}
                ],
            },
        },
    },
}
CONTAINERS = ".spec.template.spec.containers"
LAST = r".metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration"


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """A namespace with a deployment of no pods."""
    kubectl.apply(changed(WEB, replicas=0))
    return kubectl


def changed(document: dict[str, Any], **spec: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    made["spec"] |= spec
    return made


def test_apply_adds_changes_and_takes_away(web: Kubectl) -> None:
    document = changed(WEB, replicas=0, minReadySeconds=1)
    assert web.apply(document) == "deployment.apps/web configured\n"
    assert web.apply(document) == "deployment.apps/web unchanged\n"
    assert web.one(".spec.minReadySeconds", "deployment", "web") == "1"
    web("scale", "deployment", "web", "--replicas=0")
    web("set", "env", "deployment/web", "KEPT=by-another")
    del document["spec"]["minReadySeconds"], document["spec"]["template"]["spec"]["containers"][0]["ports"]
    assert web.apply(document) == "deployment.apps/web configured\n"
    assert web.one(".spec.minReadySeconds", "deployment", "web") == ""
    assert web.one(f"{CONTAINERS}[0].ports", "deployment", "web") == ""
    assert web.one(f"{CONTAINERS}[0].env[0].value", "deployment", "web") == "by-another"
    assert json.loads(web.one(LAST, "deployment", "web"))["spec"]["replicas"] == 0


def test_apply_prunes_what_is_no_longer_declared(kubectl: Kubectl) -> None:
    one, two = (
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"set": "a"}}}
        for name in ("one", "two")
    )
    kubectl.apply(one, two)
    told = kubectl(
        "apply",
        "-f",
        "-",
        "--prune",
        "-l",
        "set=a",
        "--prune-whitelist=core/v1/ConfigMap" if kubectl.is_old else "--prune-allowlist=core/v1/ConfigMap",
        input=json.dumps(one),
    )
    assert told == "configmap/one unchanged\nconfigmap/two pruned\n"


def test_diff_shows_what_apply_would_do(web: Kubectl, tmp_path: Path) -> None:
    path = tmp_path / "web.json"
    path.write_text(json.dumps(changed(WEB, replicas=0)))
    assert web.run("diff", "-f", str(path)).returncode == 0
    path.write_text(json.dumps(changed(WEB, replicas=3)))
    done = web.run("diff", "-f", str(path))
    assert done.returncode == 1
    assert "-  replicas: 0\n+  replicas: 3" in done.stdout
    assert web.one(".spec.replicas", "deployment", "web") == "0"


def test_edit_changes_what_the_editor_left(web: Kubectl, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/minReadySeconds: .*//; s/^spec:/spec:\\n  minReadySeconds: 7/" "$1"\n')
    editor.chmod(0o755)
    assert web("edit", "deployment", "web", KUBE_EDITOR=str(editor)) == "deployment.apps/web edited\n"
    assert web.one(".spec.minReadySeconds", "deployment", "web") == "7"
    assert "Edit cancelled, no changes made." in web.run("edit", "deployment", "web", KUBE_EDITOR="true").stderr
    why = tmp_path / "why"
    editor.write_text(f'#!/bin/sh\ncp "$1" {why}; sed -i "s/minReadySeconds: 7/minReadySeconds: -7/" "$1"\n')
    done = web.run("edit", "deployment", "web", KUBE_EDITOR=str(editor), TMPDIR=str(tmp_path))  # it leaves a copy there
    assert done.returncode == 1
    assert "Edit cancelled, no valid changes were saved." in done.stderr
    assert "# * spec.minReadySeconds: Invalid value: -7: must be greater than or equal to 0" in why.read_text()


def test_the_three_patches(web: Kubectl) -> None:
    strategic = {"spec": {"template": {"spec": {"containers": [{"name": "more", "image": "busybox:1"}]}}}}
    assert web("patch", "deployment", "web", "-p", json.dumps(strategic)) == "deployment.apps/web patched\n"
    assert web.one(f"{CONTAINERS}[*].name", "deployment", "web") == "more main"
    web(
        "patch",
        "deployment",
        "web",
        "--type=json",
        "-p",
        f'[{{"op":"remove","path":"{CONTAINERS.replace(".", "/")}/0"}}]',
    )
    assert web.one(f"{CONTAINERS}[*].name", "deployment", "web") == "main"
    web("patch", "deployment", "web", "--type=merge", "-p", json.dumps(strategic))
    assert web.one(f"{CONTAINERS}[*].name", "deployment", "web") == "more"
    assert "(no change)" in web("patch", "deployment", "web", "--type=merge", "-p", json.dumps(strategic))
    wrong = '[{"op":"test","path":"/spec/replicas","value":9}]'
    assert "The request is invalid" in web.refused("patch", "deployment", "web", "--type=json", "-p", wrong)


def test_labels_and_annotations(web: Kubectl) -> None:
    for command, where in (("label", "labels"), ("annotate", "annotations")):
        said = "labeled" if command == "label" else "annotated"
        assert web(command, "deployment", "web", "tier=front") == f"deployment.apps/web {said}\n"
        assert "--overwrite is false" in web.refused(command, "deployment", "web", "tier=back")
        web(command, "deployment", "web", "tier=back", "--overwrite")
        assert web.one(f".metadata.{where}.tier", "deployment", "web") == "back"
        web(command, "deployments", "--all", "tier-")
        assert web.one(f".metadata.{where}.tier", "deployment", "web") == ""


def test_set_of_each_thing(web: Kubectl) -> None:
    web("set", "image", "deployment/web", "main=busybox:2")
    web("set", "env", "deployment/web", "A=b", "C=d")
    web("set", "env", "deployment/web", "C-")
    web("set", "resources", "deployment/web", "--requests=cpu=100m", "--limits=cpu=200m,memory=64Mi")
    web("set", "serviceaccount", "deployment/web", "default")
    (container,) = web.read("deployment", "web")["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["env"]) == ("busybox:2", [{"name": "A", "value": "b"}])
    assert container["resources"] == {"limits": {"cpu": "200m", "memory": "64Mi"}, "requests": {"cpu": "100m"}}
    assert web("set", "env", "deployment/web", "--list").endswith("A=b\n")


def test_expose_and_run(web: Kubectl) -> None:
    assert web("expose", "deployment", "web", "--port=8080", "--target-port=80") == "service/web exposed\n"
    assert web.read("service", "web")["spec"]["selector"] == {"app": "web"}
    assert web("run", "one", "--image=busybox:1", "--port=80", "--expose", "--", *ENDLESS).splitlines() == [
        "service/one created",
        "pod/one created",
    ]
    web("wait", "--for=condition=Ready", "pod/one", "--timeout=20s")
    becomes(lambda: web.one(".subsets[0].ports[0].port", "endpoints", "one"), "80")


def test_a_replication_controller_is_scaled_and_told_as_a_scale(kubectl: Kubectl) -> None:
    template = {"metadata": {"labels": {"app": "rc"}}, "spec": {"containers": [{"name": "c", "image": "busybox:1"}]}}
    document = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "rc"}}
    kubectl.apply({**document, "spec": {"template": template}})
    kubectl("scale", "rc", "rc", "--replicas=2")
    assert any(kubectl.one(".status.replicas", "rc", "rc") == "2" for _ in range(100))
    assert len(kubectl("get", "pods", "-l", "app=rc", "-o", "name").split()) == 2
    if not kubectl.is_old:
        shown = columns(kubectl("get", "rc", "rc", "--subresource=scale"))
        assert shown[0] == ["NAME", "DESIRED", "AVAILABLE", "AGE"]
        assert shown[1][:3] == ["rc", "2", "2"]
    kubectl("delete", "rc", "rc", "--cascade=orphan")
    assert len(kubectl("get", "pods", "-l", "app=rc", "-o", "name").split()) == 2


def test_apply_prunes_all_kinds_that_kubectl_knows(kubectl: Kubectl) -> None:
    if kubectl.is_old:
        pytest.skip("kubectl 1.20 looks for kinds of versions that are long gone")
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"prune": kubectl.namespace}}}
        for name in ("stays", "goes")
    ]
    kubectl.apply(*maps)
    told = kubectl("apply", "-f", "-", "--prune", "-l", f"prune={kubectl.namespace}", input=json.dumps(maps[0]))
    assert told == "configmap/stays unchanged\nconfigmap/goes pruned\n"


def test_autoscale_and_what_it_needs(web: Kubectl) -> None:
    served = "horizontalpodautoscalers.autoscaling" in web("api-resources", "-o", "name").split()
    done = web.run("autoscale", "deployment", "web", "--max=3")
    if served:
        assert done.stdout == "horizontalpodautoscaler.autoscaling/web autoscaled\n"
    else:
        assert "could not find the requested resource" in done.stderr


def test_scale_when_it_is_as_expected(web: Kubectl) -> None:
    assert web("scale", "deployment/web", "--current-replicas=0", "--replicas=1") == "deployment.apps/web scaled\n"
    assert "Expected replicas to be 0, was 1" in web.refused(
        "scale", "deployment/web", "--current-replicas=0", "--replicas=3"
    )
    web("wait", "--for=condition=Available", "deployment/web", "--timeout=20s")
    assert web("get", "deployment", "web", "--no-headers").split()[1] == "1/1"


def test_rollouts_are_told_paused_undone_and_restarted(kubectl: Kubectl) -> None:
    kubectl.apply(WEB)
    status = ["rollout", "status", "deployment/web", "--timeout=40s"]
    assert 'deployment "web" successfully rolled out\n' in kubectl(*status)
    kubectl("set", "env", "deployment/web", "A=b")
    kubectl(*status)
    kubectl("annotate", "deployment/web", "kubernetes.io/change-cause=with a variable")
    kubectl(*status)
    history = kubectl("rollout", "history", "deployment/web")
    assert re.search(r"1\s+<none>\n2\s+with a variable\n", history)
    assert re.search(r"A:\s+b", kubectl("rollout", "history", "deployment/web", "--revision=2"))
    assert kubectl("rollout", "pause", "deployment/web") == "deployment.apps/web paused\n"
    kubectl("set", "env", "deployment/web", "A=c")
    assert "paused" in kubectl.refused("rollout", "undo", "deployment/web")
    assert kubectl.one(".status.updatedReplicas", "deployment", "web") in ("", "0")
    assert kubectl("rollout", "resume", "deployment/web") == "deployment.apps/web resumed\n"
    kubectl(*status)
    assert kubectl("rollout", "undo", "deployment/web", "--to-revision=1") == "deployment.apps/web rolled back\n"
    kubectl(*status)
    assert kubectl.one(f"{CONTAINERS}[0].env", "deployment", "web") == ""
    assert kubectl("rollout", "restart", "deployment/web") == "deployment.apps/web restarted\n"
    kubectl(*status)
    assert "restartedAt" in kubectl("get", "deployment", "web", "-o", "yaml")
