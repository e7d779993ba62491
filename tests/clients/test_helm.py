"""helm: charts are installed, upgraded, rolled back and uninstalled, with hooks and with waiting."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.clients.kube_case import becomes
from tests.clients.kubectl import NEW, Kubectl, in_new_namespace, program

pytestmark = [
    pytest.mark.clients,
    pytest.mark.root,
    pytest.mark.skipif(find_spec("helm_python") is None, reason="needs helm's library (helm-python-sdk)"),
]
JOB = """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-NAME
  annotations: {helm.sh/hook: "HOOK", helm.sh/hook-delete-policy: "before-hook-creation,DELETED"}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "busybox:1", command: [sh, -c, "echo NAME; exit {{ .Values.hookFails }}"]}]
"""
TEMPLATES = {
    "account.yaml": """
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: {{ .Release.Name }}}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: {{ .Release.Name }}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .Release.Name }}}
subjects: [{kind: ServiceAccount, name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}]
""",
    "config.yaml": """
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data:
  greeting: {{ .Values.greeting }}
  namespace: {{ (lookup "v1" "Namespace" "" .Release.Namespace).metadata.uid }}
  {{- $there := lookup "v1" "ConfigMap" .Release.Namespace .Release.Name }}
  before: {{ $there.data | default dict | toJson | quote }}
  budgets: {{ .Capabilities.APIVersions.Has "policy/v1/PodDisruptionBudget" | quote }}
""",
    "web.yaml": """
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{name: http, port: 80}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {config: {{ include (print $.Template.BasePath "/config.yaml") . | sha256sum }}}
    spec:
      serviceAccountName: {{ .Release.Name }}
      terminationGracePeriodSeconds: 0
      containers:
      - {name: main, image: {{ .Values.image }}, imagePullPolicy: Never, command: [sleep, "1000"]}
""",
    "check.yaml": """
apiVersion: v1
kind: Pod
metadata: {name: {{ .Release.Name }}-check, annotations: {helm.sh/hook: test}}
spec:
  restartPolicy: Never
  containers: [{name: main, image: "busybox:1", command: [sh, -c, "test {{ .Values.greeting }} = hello"]}]
""",
    "before.yaml": JOB.replace("NAME", "before")
    .replace("HOOK", "pre-install,pre-upgrade")
    .replace("DELETED", "hook-succeeded"),
    "after.yaml": JOB.replace("NAME", "after").replace("HOOK", "post-install").replace("DELETED", "hook-failed"),
}
VALUES = {"replicas": 2, "greeting": "hello", "image": "busybox:1", "hookFails": 0}


class Helm:
    """helm's verbs for one namespace and one chart."""

    def __init__(self, kubectl: Kubectl, chart: Path) -> None:
        self.kubectl, self.chart = kubectl, chart

    def run(self, verb: str, *arguments: Any, **more: Any) -> subprocess.CompletedProcess[str]:
        argv = [
            sys.executable,
            "tests/clients/helm_call.py",
            str(self.kubectl.kubeconfig),
            self.kubectl.namespace,
            verb,
        ]
        given = json.dumps([arguments, more])
        return subprocess.run(argv, input=given, capture_output=True, text=True, timeout=120, env=self.kubectl.env)

    def __call__(self, verb: str, *arguments: Any, **more: Any) -> Any:
        done = self.run(verb, *arguments, **more)
        assert done.returncode == 0, f"helm {verb}: {done.stderr}"
        return json.loads(done.stdout)

    def install(self, name: str, **values: Any) -> Any:
        return self("install", str(self.chart), name, values, wait="watcher", timeout=60)

    def upgrade(self, name: str, **values: Any) -> Any:
        return self("upgrade", str(self.chart), name, values, wait="watcher", timeout=60)

    def states(self, name: str) -> list[tuple[int, str]]:
        return [(each["revision"], each["status"]) for each in self("history", name)]


@pytest.fixture
def helm(kubeconfig: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Helm]:
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text('{apiVersion: v2, name: web, version: 1.2.3, kubeVersion: ">=1.25.0-0"}')
    (chart / "values.yaml").write_text(json.dumps(VALUES))
    for name, text in TEMPLATES.items():
        (chart / "templates" / name).write_text(text)
    name = request.node.name.replace("_", "-")[:40].strip("-")
    with in_new_namespace(program(NEW), kubeconfig, name) as kubectl:
        yield Helm(kubectl, chart)


def test_a_chart_is_installed_upgraded_rolled_back_and_uninstalled(helm: Helm) -> None:
    kubectl = helm.kubectl
    assert helm.install("web")["status"] == "deployed"
    assert kubectl.one(".status.readyReplicas", "deployment", "web") == "2", "it waited"
    data = kubectl.read("configmap", "web")["data"]
    uid = kubectl.one(".metadata.uid", "namespace", kubectl.namespace)
    assert data == {"greeting": "hello", "namespace": uid, "before": "{}", "budgets": "true"}
    assert kubectl("auth", "can-i", "get", "cm", f"--as=system:serviceaccount:{kubectl.namespace}:web") == "yes\n"
    jobs = kubectl("get", "jobs", "-o", "name").split()
    assert jobs == ["job.batch/web-after"], "a hook that is over is gone, one that shall stay is there"
    assert kubectl("logs", "job/web-after") == "after\n"

    assert helm.upgrade("web", greeting="bye", replicas=1)["revision"] == 2
    changed = kubectl.read("configmap", "web")["data"]
    assert (changed["greeting"], json.loads(changed["before"])) == ("bye", data)
    assert kubectl.one(".status.readyReplicas", "deployment", "web") == "1"

    helm("rollback", "web", version=1, wait="watcher", timeout=60)
    assert kubectl.one(".data.greeting", "configmap", "web") == "hello"
    assert helm.states("web") == [(1, "superseded"), (2, "superseded"), (3, "deployed")]
    (listed,) = helm("list")
    assert (listed["name"], listed["revision"], listed["chart_version"]) == ("web", 3, "1.2.3")
    stored = kubectl(
        "get", "secrets", "--field-selector=type=helm.sh/release.v1", "-l", "owner=helm,name=web", "-o", "name"
    )
    assert stored.split() == [f"secret/sh.helm.release.v1.web.v{n}" for n in (1, 2, 3)]

    helm("uninstall", "web", wait="watcher", timeout=60)
    assert helm("list", all_states=True) == []
    left = kubectl("get", "deploy,svc,sa,cm,role,rolebinding,secret", "-o", "name").split()
    assert left == ["serviceaccount/default", "configmap/kube-root-ca.crt"]


def test_an_upgrade_that_does_not_become_ready_fails_and_is_undone(helm: Helm) -> None:
    helm.install("web", replicas=1)
    bad = {"image": "none:x", "replicas": 1}
    done = helm.run("upgrade", str(helm.chart), "web", bad, wait="watcher", timeout=4)
    assert "resource Deployment/" in done.stderr
    assert "not ready" in done.stderr
    assert helm.states("web")[-1] == (2, "failed")
    options = {"wait": "watcher", "timeout": 6, "rollback_on_failure": True}
    done = helm.run("upgrade", str(helm.chart), "web", bad, **options)
    assert "rolled back" in done.stderr
    assert helm.states("web")[-1] == (4, "deployed")
    assert helm.kubectl.one(".spec.template.spec.containers[0].image", "deployment", "web") == "busybox:1"
    becomes(lambda: len(helm.kubectl("get", "pods", "-l", "app=web", "-o", "name").split()), 1)


def test_a_hook_that_fails_keeps_a_release_from_coming(helm: Helm) -> None:
    done = helm.run("install", str(helm.chart), "web", {"hookFails": 3}, timeout=30)
    assert "failed pre-install" in done.stderr
    assert helm.kubectl("logs", "job/web-before") == "before\n"
    assert helm.kubectl.run("get", "deployment", "web").returncode == 1
    assert helm.states("web") == [(1, "failed")]


def test_a_dry_run_of_the_server_makes_nothing(helm: Helm) -> None:
    shown = helm("install", str(helm.chart), "web", {"greeting": "dry"}, dry_run="server")
    assert "greeting: dry" in shown["manifest"]
    assert helm.kubectl("get", "deploy,secret,job", "-o", "name") == ""


def test_what_somebody_else_has_set_is_a_conflict(helm: Helm) -> None:
    helm.install("web", replicas=1)
    helm.kubectl("patch", "configmap", "web", "-p", '{"data":{"greeting":"mine"}}')
    done = helm.run("upgrade", str(helm.chart), "web", {"greeting": "theirs", "replicas": 1})
    assert 'conflict with "kubectl-patch" using v1: .data.greeting' in done.stderr


def test_a_test_of_a_release_is_a_pod_that_ends_well(helm: Helm) -> None:
    helm.install("web", replicas=1)
    helm("test", "web", timeout=30)
    helm.upgrade("web", replicas=1, greeting="bye")
    helm.kubectl("delete", "pod", "web-check")
    assert "web-check" in helm.run("test", "web", timeout=30).stderr
