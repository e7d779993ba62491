"""Our commands for a cluster beside kubectl's, on the same one: what they print, byte for byte, and how they end."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.conftest import Cli

pytestmark = [pytest.mark.clients, pytest.mark.root]

MANIFESTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {app: web}, annotations: {note: "two\\nlines"}}
data: {plain: a, bool: "yes", number: "1e3", lines: "x\\ny\\n", colon: "a: b", date: "2001-01-01", long: "LONG"}
binaryData: {bin: AAEC}
---
apiVersion: v1
kind: Secret
metadata: {name: hidden}
stringData: {key: value}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: busybox
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "trap exit TERM; echo hello; while :; do sleep 0.1; done"]
        env: [{name: A, value: "1"}, {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
        ports: [{containerPort: 80}]
        resources: {limits: {memory: 64Mi}}
        readinessProbe: {exec: {command: ["true"]}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {type: NodePort, selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  terminationGracePeriodSeconds: 1
  initContainers: [{name: first, image: busybox, imagePullPolicy: IfNotPresent, command: [echo, init]}]
  containers:
  - {name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "echo one; echo two; sleep 1000"]}
  - {name: b, image: busybox, imagePullPolicy: IfNotPresent, command: [sh, -c, "echo other; sleep 1000"]}
  volumes: [{name: e, emptyDir: {sizeLimit: 1Mi}}, {name: c, configMap: {name: settings}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      tolerations: [{operator: Exists}]
      containers: [{name: db, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "1000"]}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: each}
spec:
  selector: {matchLabels: {app: each}}
  template:
    metadata: {labels: {app: each}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "1000"]}]
---
apiVersion: v1
kind: ReplicationController
metadata: {name: elder}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: elder}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [sleep, "1000"]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: a, image: busybox, imagePullPolicy: IfNotPresent, command: [echo, done]}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: yearly}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate:
    spec:
      template:
        spec: {restartPolicy: Never, containers: [{name: a, image: busybox, command: ["true"]}]}
""".replace("LONG", " ".join(map(str, range(50))))

BROKEN = {
    "kind": "kind: Foo",
    "type": "kind: Foo\napiVersion: foo/v1\nmetadata: {name: a}\n",
    "noname": "kind: ConfigMap\napiVersion: v1\nmetadata: {}\n",
    "name": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: A_}\n",
    "namespace": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a, namespace: nope}\n",
    "strict": "kind: ConfigMap\napiVersion: v1\nspec: {}\nmetadata: {name: a}\n",
    "empty": "",
}


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Both:
    """kubectl and jubako on one cluster."""

    def __init__(self, jubako: Cli, base: Path) -> None:
        self.jubako, self.base = jubako, base
        self.env = {**os.environ, **jubako.env, "KUBECONFIG": str(base / "kubeconfig"), "HOME": str(base)}

    def run(self, program: str, words: list[str], stdin: str = "") -> Ended:
        argv = ["kubectl"] if program == "kubectl" else [*self.jubako.argv]
        done = subprocess.run(
            [*argv, *words],
            capture_output=True,
            text=True,
            timeout=60,
            env=self.env,
            input=stdin,
            cwd=self.base,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def ours(self, *words: str, stdin: str = "") -> Ended:
        return self.run("jubako", [*words], stdin)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    if not shutil.which("kubectl"):
        pytest.skip("needs kubectl")
    base = tmp_path_factory.mktemp("verbs")
    jubako = Cli(base / "root", base / "run")
    jubako("image", "bootstrap", "busybox")
    jubako("cluster", "up", "--kubeconfig", str(base / "kubeconfig"))
    for name, text in BROKEN.items():
        (base / f"{name}.yaml").write_text(text)
    (base / "all.yaml").write_text(MANIFESTS)
    found = Both(jubako, base)
    try:
        assert found.ours("apply", "-f", "all.yaml").out.count(" created\n") == 10
        assert found.ours("rollout", "status", "deployment/web", "--timeout=30s").code == 0
        assert found.ours("rollout", "status", "sts/db", "--timeout=30s").code == 0
        assert found.run("kubectl", ["wait", "pod/two", "--for=condition=Ready", "--timeout=30s"]).code == 0
        assert (
            found.run("kubectl", ["wait", "pod", "-l", "app=elder", "--for=condition=Ready", "--timeout=30s"]).code == 0
        )
        assert found.run("kubectl", ["wait", "job/once", "--for=condition=Complete", "--timeout=30s"]).code == 0
        yield found
    finally:
        jubako("cluster", "reset")
        jubako("system", "prune", "-a", "-f", "--volumes")


# How long ago something was changes between two calls, and with it how wide its column is.
_AGES = re.compile(r"\b(?:\d+[hm])?\d+[sm]\b(?: \(x\d+ over (?:\d+[hm])?\d+[sm]\))? *")


def settled(text: str) -> str:
    return re.sub(
        r"^(\s*)-+(?=  )|(?<=  )-+(?=  )", "", _AGES.sub("AGO ", re.sub(r"\bAge +", "Age ", text)), flags=re.M
    )


READING = [
    *("get pods", "get pods -o wide", "get pods -o name", "get pods -A --no-headers", "get all", "get all -A"),
    *("get pods --show-labels", "get pods -L app,nope", "get po,deploy,cm", "get sts,ds,job,cronjob,svc,secret"),
    *("get pods -o json", "get pods -o yaml", "get cm settings -o yaml", "get cm -o json", "get deploy web -o yaml"),
    *("get node -o yaml", "get ns", "get ns -A", "get secret nope", "get pods nope other", "get pod/nope cm/settings"),
    *(
        "get cm settings nope --ignore-not-found",
        "get foo",
        "get foo/bar",
        "get",
        "get pods -l 'x in'",
        "get pods x -l a=b",
    ),
    *("get pods -l app=web -o name", "get pods -l app=nope", "get pods --field-selector status.phase=Running -o name"),
    *("get cm settings -A", "get pod -n nope", "get pods,cm a b", "get pods,deploy/web", "get pods/a/b"),
    *(
        "get cm settings -o nope",
        "get pods --sort-by=.metadata.name -o name",
        "get cm -A --sort-by=.metadata.namespace",
    ),
    "get pods -o custom-columns=NAME:.metadata.name,IMAGES:.spec.containers[*].image,NO:.spec.nope,L:.metadata.labels",
    "get cm settings -o custom-columns=N:metadata.name --no-headers",
    "get cm settings -o jsonpath={.data.plain}",
    'get pods -o \'jsonpath={range .items[*]}{.metadata.name}{"\\t"}{.status.phase}{"\\n"}{end}\'',
    "get pods -o 'jsonpath={.items[?(@.metadata.labels.app==\"web\")].metadata.name}'",
    "get pods -o 'jsonpath={.items[0].spec.containers[0].resources}'",
    "get pods -o jsonpath={.items[99]}",
    "get pods -o jsonpath={.items",
    "get cm settings -o jsonpath={.data[0]}",
    "get pods -o 'jsonpath-as-json={.items[*].metadata.name}'",
    "get cm settings -o go-template={{.metadata.name}}",
    *(
        "describe deploy web",
        "describe svc front",
        "describe node",
        "describe sts db",
        "describe ds each",
        "describe job once",
    ),
    *(
        "describe pod two",
        "describe pods -l app=web",
        "describe cronjob yearly",
        "describe cm settings",
        "describe secret",
    ),
    *(
        "describe rs",
        "describe rc elder",
        "describe pvc",
        "describe ns default",
        "describe pod nope",
        "describe cm sett",
        "describe foo",
        "describe",
    ),
    "describe controllerrevisions -l app=nope",
    *("logs pod/two", "logs pod/two -c b", "logs pod/two --all-containers", "logs pod/two --all-containers --prefix"),
    *(
        "logs -l app=web",
        "logs -l app=nope",
        "logs pod/two --tail=1",
        "logs pod/two -p",
        "logs pod/nope",
        "logs deploy/nope",
    ),
    *(
        "logs pod/two -c nope",
        "logs cm/settings",
        "logs job/once",
        "logs pod/two --since=1s --since-time=2020-01-01T00:00:00Z",
    ),
    *(
        "exec pod/two -- echo hi",
        "exec pod/two -c b -- sh -c 'echo e >&2; exit 3'",
        "exec pod/nope -- ls",
        "exec pod/two",
    ),
    *("exec deploy/web -- ls /", "exec svc/front -- ls /", "exec cm/settings -- ls", "exec -it pod/two -- echo hi"),
    *(
        "rollout status deploy/web",
        "rollout status deploy web --watch=false",
        "rollout status deploy nope",
        "rollout status",
    ),
    *(
        "rollout status cm settings",
        "rollout status deploy/web --revision=77",
        "rollout status sts/db",
        "rollout status ds/each",
    ),
    *(
        "rollout history deploy/web",
        "rollout history deploy/web --revision=1",
        "rollout history deploy/web --revision=9",
    ),
    *("rollout history deploy", "rollout history sts/db", "rollout history ds/each", "rollout history cm/settings"),
    *("rollout undo deploy/web --to-revision=99", "rollout undo cm/settings", "rollout pause cm/settings"),
    *("rollout resume deploy/web", "rollout restart cm/settings", "rollout restart deploy/nope"),
]
TRYING = [
    *(
        "apply -f all.yaml",
        "apply -f all.yaml --dry-run=client",
        "apply -f all.yaml --dry-run=server",
        "apply -f all.yaml -o name",
    ),
    *(
        "apply -f nofile",
        "apply",
        "apply -f all.yaml x",
        "apply -f all.yaml --dry-run=foo",
        "apply -f all.yaml -l app=nope",
    ),
    *("apply -f kind.yaml", "apply -f type.yaml", "apply -f noname.yaml", "apply -f name.yaml", "apply -f strict.yaml"),
    *("apply -f namespace.yaml", "apply -f namespace.yaml -n other", "apply -f empty.yaml"),
    *(
        "delete cm nope nope2",
        "delete cm nope --ignore-not-found",
        "delete cm -l app=nope",
        "delete cm",
        "delete",
        "delete foo x",
    ),
    *(
        "delete pod nope --force",
        "delete cm x --all",
        "delete cm x -l a=b",
        "delete -f nofile",
        "delete cm x --cascade=wrong",
    ),
    *(
        "delete pod nope --now --grace-period=3",
        "delete cm settings --dry-run=client",
        "delete cm settings --dry-run=server",
    ),
    *(
        "delete cm settings --dry-run=server -o name",
        "scale deploy web --replicas=2",
        "scale deploy/web --replicas=2 -o name",
    ),
    *(
        "scale deploy web --replicas=1 --current-replicas=7",
        "scale deploy nope --replicas=1",
        "scale cm settings --replicas=1",
    ),
    *(
        "scale deploy web --replicas=-2",
        "scale deploy web --replicas=5 --dry-run=client",
        "scale node --all --replicas=1",
    ),
    *("scale deploy web --replicas=5 --dry-run=server", "scale deploy --all --replicas=2 --timeout=20s"),
]


# kubectl has no order there.
UNORDERED = ("describe secret", "describe cm", "logs pod/two --all-containers")


@pytest.mark.parametrize("line", [*READING, *TRYING])
def test_it_is_what_kubectl_says(both: Both, line: str) -> None:
    import shlex

    words = shlex.split(line)
    for _ in range(3):
        theirs, ours = (both.run(program, words) for program in ("kubectl", "jubako"))
        # Between the two a node may have given a sign of life, a pod or an event may have come.
        if settled(ours.out) == settled(theirs.out):
            break
    if line.startswith(UNORDERED):
        theirs, ours = (Ended(each.code, "".join(sorted(each.out)), each.err) for each in (theirs, ours))
    assert ours.code == theirs.code
    assert settled(ours.out) == settled(theirs.out)
    assert ours.err == theirs.err


def test_what_one_applied_the_other_goes_on_with(both: Both) -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shared}}\ndata: {}\n"
    steps = [
        ("kubectl", "{a: '1', b: '2'}"),
        ("jubako", "{b: '3'}"),
        ("kubectl", "{b: '3', c: '4'}"),
        ("jubako", "{c: '4'}"),
    ]
    verbs = [both.run(program, ["apply", "-f", "-"], text.format(data)).out for program, data in steps]
    assert [each.split()[1] for each in verbs] == ["created", "configured", "configured", "configured"]
    assert both.ours("get", "cm", "shared", "-o", "jsonpath={.data}").out == '{"c":"4"}'
    assert both.ours("delete", "cm/shared").out == 'configmap "shared" deleted\n'


def test_a_list_with_keys_is_merged_as_kubectl_merges_it(both: Both) -> None:
    changed = MANIFESTS.replace('{name: A, value: "1"}, ', '{name: B, value: "2"}, ')
    results = []
    for program in ("kubectl", "jubako"):
        assert both.run(program, ["apply", "-f", "-"], changed).code == 0
        results.append(both.ours("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec}").out)
        assert both.ours("apply", "-f", "all.yaml").code == 0
    assert results[0] == results[1]
    assert '"name":"B"' in results[0]
    assert '"name":"A"' not in results[0]


def test_a_rollout_is_followed_undone_and_restarted(both: Both) -> None:
    assert both.ours("rollout", "restart", "deploy/web").out == "deployment.apps/web restarted\n"
    lines = both.ours("rollout", "status", "deploy/web", "--timeout=30s").out.splitlines()
    assert lines[0].startswith("Waiting for deployment ")
    assert lines[-1] == 'deployment "web" successfully rolled out'
    assert both.ours("rollout", "undo", "deploy/web").out == "deployment.apps/web rolled back\n"
    assert both.ours("rollout", "status", "deploy/web", "--timeout=30s").code == 0
    assert both.ours("rollout", "pause", "deploy/web").out == "deployment.apps/web paused\n"
    for line in ("rollout pause deploy/web", "rollout restart deploy/web", "rollout undo deploy/web"):
        assert both.ours(*line.split()) == both.run("kubectl", line.split())
    assert both.ours("rollout", "resume", "deploy/web").out == "deployment.apps/web resumed\n"


def test_a_watch_tells_each_change_as_kubectl_does(both: Both) -> None:
    words = ["get", "cm", "seen", "--watch", "-o", "name"]
    both.ours("apply", "-f", "-", stdin="{apiVersion: v1, kind: ConfigMap, metadata: {name: seen}}")
    watch = subprocess.Popen([*both.jubako.argv, *words], stdout=subprocess.PIPE, text=True, env=both.env)
    try:
        assert watch.stdout is not None
        assert watch.stdout.readline() == "configmap/seen\n"
        both.run("kubectl", ["label", "cm", "seen", "a=b"])
        assert watch.stdout.readline() == "configmap/seen\n"
    finally:
        watch.send_signal(signal.SIGINT)
        watch.wait(10)
        both.ours("delete", "cm", "seen")
    assert watch.returncode == 130


def test_input_reaches_a_command_whole_and_its_end_is_told(both: Both) -> None:
    text = "".join(f"{number}\n" for number in range(50_000))
    assert both.ours("exec", "-i", "pod/two", "-c", "a", "--", "sh", "-c", "cat", stdin=text) == Ended(0, text, "")


def test_what_is_deleted_is_gone_when_the_command_ends(both: Both) -> None:
    both.ours("apply", "-f", "-", stdin=MANIFESTS.replace("name: two", "name: going"))
    assert both.ours("delete", "pod/going").out == 'pod "going" deleted\n'
    assert both.ours("get", "pod", "going").err == 'Error from server (NotFound): pods "going" not found\n'


def test_why_tells_what_is_wrong_and_what_to_try(both: Both) -> None:
    assert both.ours("why", "deployment/web", "service/front", "pod/two").code == 0
    crash = "apiVersion: v1\nkind: Pod\nmetadata: {name: crash}\nspec:\n  terminationGracePeriodSeconds: 0\n"
    crash += "  containers: [{name: a, image: busybox, imagePullPolicy: IfNotPresent, "
    crash += "command: [sh, -c, echo bad; exit 3]}]\n"
    both.ours("apply", "-f", "-", stdin=crash)
    try:
        for _ in range(60):
            told = both.ours("why", "pod/crash")
            if "again and again" in told.out:
                break
        assert told.code == 1
        assert "✗ container a ended with exit code 3, again and again" in told.out
        assert "\n    | bad\n" in told.out
        assert "    jubako logs pod/crash -c a --previous\n" in told.out
        assert "✗ pod/crash does not work\n" in both.ours("why").out
    finally:
        both.ours("delete", "pod/crash", "--force")


def test_which_cluster_is_asked(both: Both, tmp_path: Path) -> None:
    assert both.ours("get", "ns", "default", "-o", "name", "--kubeconfig", str(tmp_path / "no")).code == 1
    env = {name: value for name, value in both.env.items() if name != "KUBECONFIG"}
    for options in ([], ["--cluster", "default"], ["--kubeconfig", str(both.base / "kubeconfig")]):
        done = subprocess.run(
            [*both.jubako.argv, "get", "ns", "default", "-o", "name", *options],
            capture_output=True,
            text=True,
            timeout=60,
            env=env,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "namespace/default\n"), done.stderr
    refused = both.ours("get", "pods", "--context", "nope")
    assert refused == Ended(1, "", 'error: context "nope" does not exist\n')


def test_a_forwarded_port_leads_to_the_pod(both: Both) -> None:
    serving = "apiVersion: v1\nkind: Pod\nmetadata: {name: page}\nspec:\n  terminationGracePeriodSeconds: 0\n"
    serving += (
        "  containers: [{name: a, image: busybox, imagePullPolicy: IfNotPresent, ports: [{name: http, containerPort: "
    )
    serving += '8000}],\n    command: [sh, -c, "echo found > /index.html; httpd -f -p 8000 -h /"]}]\n'
    both.ours("apply", "-f", "-", stdin=serving)
    both.run("kubectl", ["wait", "pod/page", "--for=condition=Ready", "--timeout=30s"])
    forward = subprocess.Popen(
        [*both.jubako.argv, "port-forward", "pod/page", ":http"], stdout=subprocess.PIPE, text=True, env=both.env
    )
    try:
        assert forward.stdout is not None
        told = re.fullmatch(r"Forwarding from 127\.0\.0\.1:(\d+) -> 8000\n", forward.stdout.readline())
        assert told
        for _ in range(3):
            with urllib.request.urlopen(f"http://127.0.0.1:{told[1]}/index.html", timeout=20) as answer:
                assert answer.read() == b"found\n"
            assert forward.stdout.readline() == f"Handling connection for {told[1]}\n"
    finally:
        forward.send_signal(signal.SIGINT)
        forward.wait(10)
        both.ours("delete", "pod/page", "--force")
    assert forward.returncode == 130
