"""Documents as a cluster has them, and what is told of them: state, findings, and what to try."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from jubako.cluster.types.document import Object
from jubako.cluster.why.claims import claim_story
from jubako.cluster.why.facts import Facts
from jubako.cluster.why.others import budget_story, node_story
from jubako.cluster.why.pods import pod_story
from jubako.cluster.why.services import service_story
from jubako.cluster.why.story import Finding
from jubako.cluster.why.workloads import deployment_story, workload_story

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
BEFORE = "2026-01-01T11:59:50Z"
READY: Object = {"type": "Ready", "status": "True"}
NODE: Object = {
    "metadata": {"name": "vm"},
    "status": {"conditions": [READY], "allocatable": {"cpu": "2", "memory": "4Gi"}},
}


def pod(*statuses: Any, name: str = "p", node: str = "vm", conditions: Any = (), **more: Any) -> Any:
    spec: Any = {"nodeName": node, "containers": [{"name": "a", "image": "app:1"}], "restartPolicy": "Always"}
    status = {
        "phase": "Running",
        "containerStatuses": [*statuses],
        "conditions": [*conditions],
        **more.pop("status", {}),
    }
    metadata = {"name": name, "uid": f"uid-{name}", **more.pop("metadata", {})}
    return {"kind": "Pod", "metadata": metadata, "spec": {**spec, **more}, "status": status}


def container(**more: Any) -> Any:
    return [{"name": "a", "image": "app:1", **more}]


def waiting(reason: str, message: str = "", last: Any = None, **more: Any) -> Any:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": "a", "state": state, "lastState": {"terminated": last} if last else {}, "restartCount": 4, **more}


def ended(code: int, reason: str = "Error", **more: Any) -> Any:
    return {"exitCode": code, "reason": reason, "finishedAt": BEFORE, **more}


def running(*, ready: bool, **more: Any) -> Any:
    return {"name": "a", "ready": ready, "started": True, "state": {"running": {"startedAt": BEFORE}}, **more}


def event(reason: str, message: str, about: str = "p") -> Any:
    involved = {"uid": f"uid-{about}"}
    return {"reason": reason, "message": message, "involvedObject": involved, "lastTimestamp": BEFORE}


def facts(*events: Any, **more: Any) -> Facts:
    return Facts(now=NOW, events=events, nodes=more.pop("nodes", (NODE,)), **more)


def lines(finding: Finding, depth: int = 0) -> list[str]:
    """The story as lines: `+` good, `.` waited for, `-` bad, `|` quoted."""
    mark = {"good": "+", "wait": ".", "bad": "-"}[finding.state]
    inner = [line for each in finding.because for line in lines(each, depth + 1)]
    return [f"{' ' * depth}{mark} {finding.text}", *(f"{' ' * depth}| {line}" for line in finding.said), *inner]


def pending(message: str, **more: Any) -> Any:
    told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return pod(node="", conditions=[told], status={"phase": "Pending"}, **more)


REFUSED = (
    "0/1 nodes are available: {}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
)
CRASH = "container a {}, again and again (4 restarts, last 10s ago); each start waits longer"

PODS: list[tuple[str, Any, Facts, list[str], list[str]]] = [
    (
        "well",
        pod(running(ready=True), conditions=[READY]),
        facts(),
        ["+ pod/p runs and is ready", " + scheduled to vm", " + container a has run for 10s"],
        [],
    ),
    (
        "done",
        pod(
            {"name": "a", "state": {"terminated": ended(0, "Completed")}},
            status={"phase": "Succeeded"},
            restartPolicy="Never",
        ),
        facts(),
        ["+ pod/p has done its work", " + it has run on vm", " + container a has done its work"],
        [],
    ),
    (
        "well again after it was killed for its memory",
        pod(running(ready=True, restartCount=2, lastState={"terminated": ended(137, "OOMKilled")}), conditions=[READY]),
        facts(),
        [
            "+ pod/p runs and is ready",
            " + scheduled to vm",
            " + container a has run for 10s; before, it was killed: it took more memory than its limit (2 restarts)",
        ],
        [],
    ),
    (
        "asks for more than there is",
        pending(
            REFUSED.format("1 Insufficient cpu, 1 Insufficient memory"),
            containers=container(resources={"requests": {"cpu": "64", "memory": "1Gi"}}),
        ),
        facts(),
        [
            "- pod/p does not work",
            " - no node can take it",
            "  - it asks for cpu 64, of 2 that a node has: more than any node has",
            "  - it asks for memory 1Gi, of 4Gi that a node has: the rest is taken by other pods",
        ],
        [
            "lower resources.requests.cpu",
            "lower resources.requests.memory",
            "jubako describe nodes   # who has taken it",
        ],
    ),
    (
        "a taint",
        pending(REFUSED.format("1 node(s) had untolerated taint {gpu: yes}")),
        facts(),
        [
            "- pod/p does not work",
            " - no node can take it",
            "  - the node has the taint gpu=yes, which the pod does not tolerate",
        ],
        ["add it to spec.tolerations, or take it from the node"],
    ),
    (
        "labels that no node has",
        pending(REFUSED.format("1 node(s) didn't match Pod's node affinity/selector"), nodeSelector={"disk": "ssd"}),
        facts(),
        [
            "- pod/p does not work",
            " - no node can take it",
            "  - the node does not have the labels disk=ssd that it selects",
        ],
        ["jubako get nodes --show-labels"],
    ),
    (
        "a cordoned node",
        pending(REFUSED.format("1 node(s) were unschedulable")),
        facts(nodes=({**NODE, "spec": {"unschedulable": True}},)),
        ["- pod/p does not work", " - no node can take it", "  - the node is closed for new pods"],
        ["kubectl uncordon vm"],
    ),
    (
        "a reason that we have no words for",
        pending(REFUSED.format("1 node(s) had a strange reason")),
        facts(),
        ["- pod/p does not work", " - no node can take it", "  - the node: node(s) had a strange reason"],
        [],
    ),
    (
        "a claim that is not there",
        pending(
            'persistentvolumeclaim "data" not found',
            volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}],
        ),
        facts(),
        [
            "- pod/p does not work",
            " - no node is chosen before its claims are bound",
            "  - the claim data does not exist",
        ],
        ["apply a PersistentVolumeClaim named data"],
    ),
    (
        "gates",
        pod(
            node="",
            conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}],
            schedulingGates=[{"name": "x/wait"}],
        ),
        facts(),
        [". pod/p is not ready yet", " . its scheduling gates are closed: x/wait"],
        ["whoever has set them takes them away"],
    ),
    (
        "no scheduler has looked",
        pod(node="", schedulerName="other"),
        facts(),
        [". pod/p is not ready yet", " . it waits for the scheduler other"],
        [],
    ),
    (
        "a node that is away",
        pod(running(ready=True)),
        facts(
            nodes=(
                {
                    "metadata": {"name": "vm"},
                    "status": {"conditions": [{**READY, "status": "Unknown", "message": "m"}]},
                },
            )
        ),
        ["- pod/p does not work", " + scheduled to vm", " - its node vm is not ready: m"],
        ["jubako describe node/vm"],
    ),
    (
        "a volume whose map is not there",
        pod(waiting("ContainerCreating")),
        facts(event("FailedMount", 'MountVolume.SetUp failed for volume "c" : configmap "conf" not found')),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            ' - a volume of it can not be had: MountVolume.SetUp failed for volume "c" : configmap "conf" not found',
        ],
        ["apply the configmap conf: the pod goes on by itself"],
    ),
    (
        "a network that can not be had",
        pod(waiting("ContainerCreating")),
        facts(event("FailedCreatePodSandBox", "Failed to create pod sandbox: no address")),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            " - its sandbox can not be made: Failed to create pod sandbox: no address",
        ],
        ["jubako describe pod/p"],
    ),
    (
        "is being made",
        pod(waiting("ContainerCreating")),
        facts(),
        [". pod/p is not ready yet", " + scheduled to vm", " . container a is being made"],
        [],
    ),
    (
        "no such image",
        pod(waiting("ImagePullBackOff", "Back-off")),
        facts(event("Failed", 'Failed to pull image "app:1": manifest unknown')),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            " - container a: there is no image app:1",
            " | manifest unknown",
        ],
        ["look at its name and its tag", "jubako build -t app:1 .   # or jubako pull app:1: what is here runs"],
    ),
    (
        "an image that we may not have",
        pod(waiting("ErrImagePull", "401 Unauthorized")),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            " - container a: the registry does not give app:1 to us",
            " | 401 Unauthorized",
        ],
        ["spec.imagePullSecrets, with a secret for that registry"],
    ),
    (
        "a registry that is away",
        pod(waiting("ErrImagePull", "dial tcp: lookup r: no such host")),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            " - container a: the registry of app:1 can not be reached",
            " | dial tcp: lookup r: no such host",
        ],
        [
            "jubako build -t app:1 .   # or jubako pull app:1: what is here runs",
            "imagePullPolicy: IfNotPresent, for an image that is here",
        ],
    ),
    (
        "an image that shall not be pulled",
        pod(waiting("ErrImageNeverPull")),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            " - container a: the image app:1 is not here, and imagePullPolicy is Never",
        ],
        ["jubako build -t app:1 .   # or jubako pull app:1: what is here runs"],
    ),
    (
        "an environment whose map is not there",
        pod(waiting("CreateContainerConfigError", 'configmap "conf" not found')),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            ' - container a can not be configured: configmap "conf" not found',
        ],
        ["apply the configmap conf, or mark its use optional: the pod goes on by itself"],
    ),
    (
        "crashes",
        pod(waiting("CrashLoopBackOff", last=ended(3))),
        facts(logs={("p", "a"): ("one", "", "two")}),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            f" - {CRASH.format('ended with exit code 3')}",
            " | one",
            " | two",
        ],
        ["jubako logs pod/p -c a --previous"],
    ),
    (
        "is not found",
        pod(waiting("CrashLoopBackOff", last=ended(127))),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            f" - {CRASH.format('ended with exit code 127: a command was not found')}",
        ],
        ["jubako logs pod/p -c a --previous"],
    ),
    (
        "is ended by a signal",
        pod(waiting("CrashLoopBackOff", last=ended(139))),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            f" - {CRASH.format('ended with exit code 139: ended by SIGSEGV')}",
        ],
        ["jubako logs pod/p -c a --previous"],
    ),
    (
        "takes too much memory",
        pod(
            waiting("CrashLoopBackOff", last=ended(137, "OOMKilled")),
            containers=container(resources={"limits": {"memory": "9Mi"}}),
        ),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            f" - {CRASH.format('was killed: it took more memory than its limit')}",
        ],
        ["raise resources.limits.memory (9Mi), or let the program take less", "jubako logs pod/p -c a --previous"],
    ),
    (
        "ends well, and should not",
        pod(waiting("CrashLoopBackOff", last=ended(0, "Completed"))),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            f" - {CRASH.format('ended, and said that all went well (exit code 0)')}",
        ],
        ["a server must stay in the foreground; work that ends is a Job", "jubako logs pod/p -c a --previous"],
    ),
    (
        "another platform's program",
        pod(waiting("CrashLoopBackOff", last=ended(128, "StartError", message="exec /x: exec format error"))),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            f" - {CRASH.format('can not run here: its program is for another platform (exec format error)')}",
        ],
        ["build the image for this machine's platform"],
    ),
    (
        "no such program",
        pod(waiting("CrashLoopBackOff", last=ended(128, "StartError", message='exec: "x": not found'))),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            f""" - {CRASH.format('could not be started: exec: "x": not found')}""",
        ],
        ["mend command and args of the container, or the image that they are to be in"],
    ),
    (
        "is not alive",
        pod(
            running(ready=False, restartCount=3),
            containers=container(livenessProbe={"exec": {"command": ["cat", "/x"]}}),
        ),
        facts(
            event("Killing", "Container a failed liveness probe, will be restarted"),
            event("Unhealthy", "Liveness probe failed: cat: no /x"),
        ),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            " - container a is ended and started again, since its liveness probe (cat /x) fails",
            " | cat: no /x",
        ],
        [
            "jubako logs pod/p -c a --previous",
            "a startupProbe, or a longer initialDelaySeconds, gives a slow start its time",
        ],
    ),
    (
        "does not answer",
        pod(running(ready=False), containers=container(readinessProbe={"httpGet": {"path": "/h", "port": 80}})),
        facts(event("Unhealthy", "Readiness probe failed: dial tcp: connection refused")),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            " - container a runs, but its readiness probe (GET /h on port 80) fails",
            " | dial tcp: connection refused",
        ],
        [
            "does the program listen on port 80, and on 0.0.0.0 rather than 127.0.0.1?",
            "jubako logs pod/p -c a",
        ],
    ),
    (
        "is about to be asked",
        pod(
            running(ready=False),
            containers=container(readinessProbe={"tcpSocket": {"port": 1}, "initialDelaySeconds": 30}),
        ),
        facts(),
        [
            ". pod/p is not ready yet",
            " + scheduled to vm",
            " . container a runs for 10s, and its readiness probe (a connection to port 1) has not succeeded yet; the "
            "first probe comes after 30s",
        ],
        [],
    ),
    (
        "an init container that fails keeps the others from being told",
        pod(
            waiting("PodInitializing"),
            initContainers=[{"name": "i"}],
            status={"initContainerStatuses": [{**waiting("CrashLoopBackOff", last=ended(1)), "name": "i"}]},
        ),
        facts(),
        [
            "- pod/p does not work",
            " + scheduled to vm",
            f" - {CRASH.format('ended with exit code 1')}".replace("container a", "container i"),
        ],
        ["jubako logs pod/p -c i --previous"],
    ),
    (
        "held by a finalizer",
        pod(metadata={"deletionTimestamp": BEFORE, "finalizers": ["x/y"]}),
        facts(flags=" -n other"),
        ["- pod/p does not work", " - it is being deleted, and held by finalizers: x/y"],
        ["whoever has set x/y takes it away: jubako get pod/p -o yaml -n other"],
    ),
    (
        "evicted",
        pod(status={"phase": "Failed", "reason": "Evicted", "message": "no disk"}, containers=[]),
        facts(),
        ["- pod/p does not work", " - it has failed: Evicted: no disk"],
        [],
    ),
    (
        "readiness gates",
        pod(running(ready=True), readinessGates=[{"conditionType": "lb"}]),
        facts(),
        [
            ". pod/p is not ready yet",
            " + scheduled to vm",
            " + container a has run for 10s",
            " . its readiness gates are closed: lb",
        ],
        [],
    ),
]


@pytest.mark.parametrize(
    ("document", "seen", "told", "tries"), [each[1:] for each in PODS], ids=[each[0] for each in PODS]
)
def test_the_story_of_a_pod(document: Any, seen: Facts, told: list[str], tries: list[str]) -> None:
    story = pod_story(document, seen)
    assert lines(story) == told
    assert story.all_tries() == tries


def owned(document: Any, owner: str) -> Any:
    return {**document, "metadata": {**document["metadata"], "ownerReferences": [{"uid": owner}]}}


def replica_set(revision: int, *, ready: int = 0) -> Any:
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    metadata = {"name": f"rs{revision}", "uid": f"uid-rs{revision}", "annotations": annotations}
    return owned({"metadata": metadata, "spec": {"replicas": 2}, "status": {"readyReplicas": ready}}, "uid-web")


def deployment(*conditions: Any, **spec: Any) -> Any:
    metadata = {"name": "web", "uid": "uid-web"}
    return {"metadata": metadata, "spec": {"replicas": 2, **spec}, "status": {"conditions": [*conditions]}}


def mine(name: str, *statuses: Any, conditions: Any = (), owner: str = "uid-rs2") -> Any:
    return owned(pod(*statuses, name=name, conditions=conditions), owner)


WELL = [mine("p1", running(ready=True), conditions=[READY]), mine("p2", running(ready=True), conditions=[READY])]
LATE: Object = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
BROKEN = [
    mine("p1", waiting("CrashLoopBackOff", last=ended(1))),
    mine("p2", waiting("CrashLoopBackOff", last=ended(1))),
]


@pytest.mark.parametrize(
    ("document", "seen", "told", "tries"),
    [
        (
            deployment(),
            facts(replica_sets=(replica_set(1), replica_set(2)), pods=(*WELL,)),
            [
                "+ deployment/web is rolled out, and all its pods are ready",
                " + 2 of 2 pods of revision 2 are ready",
            ],
            [],
        ),
        (
            deployment(LATE, progressDeadlineSeconds=60),
            facts(replica_sets=(replica_set(1, ready=2), replica_set(2)), pods=(*BROKEN,)),
            [
                "- deployment/web does not work",
                " - the new version made no progress for 60s, and is given up; 2 old pods still serve",
                "  - 2 of 2 pods are not ready",
                "   - pod/p1 does not work",
                "    + scheduled to vm",
                f"    - {CRASH.format('ended with exit code 1')}",
            ],
            ["jubako rollout undo deployment/web", "jubako logs pod/p1 -c a --previous"],
        ),
        (
            deployment(),
            facts(
                event(
                    "FailedCreate",
                    'Error creating: pods "x" is forbidden: exceeded quota: small, requested: pods=1',
                    "rs2",
                ),
                replica_sets=(replica_set(2),),
            ),
            [
                "- deployment/web does not work",
                " - 2 pods are not let in: the quota small is used up",
                ' | pods "x" is forbidden: exceeded quota: small, requested: pods=1',
            ],
            ["jubako describe quota small"],
        ),
        (
            deployment(paused=True),
            facts(replica_sets=(replica_set(2),), pods=(*WELL,)),
            [
                ". deployment/web is not ready yet",
                " . its rollout is paused",
                " + 2 of 2 pods of revision 2 are ready",
            ],
            ["jubako rollout resume deployment/web"],
        ),
        (
            deployment(replicas=0),
            facts(replica_sets=(replica_set(2),)),
            ["+ deployment/web is rolled out, and all its pods are ready", " + it is scaled to 0"],
            [],
        ),
        (
            deployment(),
            facts(
                replica_sets=(replica_set(1), replica_set(2)),
                pods=(
                    *WELL,
                    owned(pod(name="old", metadata={"deletionTimestamp": BEFORE, "finalizers": ["x/y"]}), "uid-rs1"),
                ),
            ),
            [
                "- deployment/web does not work",
                " + 2 of 2 pods of revision 2 are ready",
                " - a pod of the version before does not go",
                "  - pod/old does not work",
                "   - it is being deleted, and held by finalizers: x/y",
            ],
            ["whoever has set x/y takes it away: jubako get pod/old -o yaml"],
        ),
    ],
    ids=["well", "stalled", "quota", "paused", "none", "leftover"],
)
def test_the_story_of_a_deployment(document: Any, seen: Facts, told: list[str], tries: list[str]) -> None:
    story = deployment_story(document, seen)
    assert lines(story) == told
    assert story.all_tries() == tries


def test_the_story_of_a_job_that_was_given_up() -> None:
    failed = {"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"}
    job: Any = {"metadata": {"name": "j", "uid": "uid-j"}, "spec": {}, "status": {"conditions": [failed]}}
    attempt = pod({"name": "a", "state": {"terminated": ended(1)}}, status={"phase": "Failed"}, restartPolicy="Never")
    assert lines(workload_story("job", job, facts(pods=(owned(attempt, "uid-j"),)))) == [
        "- job/j does not work",
        " - it was given up: Job has reached the specified backoff limit",
        "  - its pod is not ready",
        "   - pod/p does not work",
        "    + it has run on vm",
        "    - container a ended with exit code 1, 10s ago",
    ]


LABELS: Object = {"labels": {"app": "web"}}


@pytest.mark.parametrize(
    ("spec", "seen", "told"),
    [
        (
            {"selector": {"app": "web"}},
            facts(pods=(pod(running(ready=True), conditions=[READY], metadata=LABELS),)),
            ["+ service/s leads to pods that are ready", " + 1 of 1 pods with app=web are ready"],
        ),
        (
            {"selector": {"app": "wep"}},
            facts(pods=(pod(metadata=LABELS),)),
            ["- service/s does not work", " - no pod has the labels app=wep"],
        ),
        (
            {"selector": {"app": "web"}, "ports": [{"targetPort": "http"}]},
            facts(pods=(pod(running(ready=True), conditions=[READY], metadata=LABELS),)),
            [
                "- service/s does not work",
                ' - no container has a port named "http" (they have none)',
                " + 1 of 1 pods with app=web are ready",
            ],
        ),
        (
            {"selector": {"app": "web"}},
            facts(pods=(pod(waiting("ErrImageNeverPull"), metadata=LABELS),)),
            [
                "- service/s does not work",
                " - none of the 1 pods with app=web is ready",
                "  - pod/p does not work",
                "   + scheduled to vm",
                "   - container a: the image app:1 is not here, and imagePullPolicy is Never",
            ],
        ),
        (
            {"type": "ExternalName", "externalName": "x.example"},
            facts(),
            ["+ service/s leads to pods that are ready", " + it is another name of x.example"],
        ),
        (
            {},
            facts(slices=({"metadata": {"labels": {"kubernetes.io/service-name": "s"}}, "endpoints": [{}]},)),
            ["+ service/s leads to pods that are ready", " + it selects no pods; others keep its addresses (1)"],
        ),
        ({}, facts(), ["- service/s does not work", " - it selects no pods, and nobody keeps addresses for it"]),
    ],
)
def test_the_story_of_a_service(spec: Object, seen: Facts, told: list[str]) -> None:
    assert lines(service_story({"metadata": {"name": "s"}, "spec": spec}, seen)) == told


STORAGE = {("StorageClass", "local"): {"volumeBindingMode": "WaitForFirstConsumer"}}


@pytest.mark.parametrize(
    ("spec", "status", "seen", "told"),
    [
        (
            {"volumeName": "v"},
            {"phase": "Bound"},
            facts(),
            ["+ pvc/c is bound", " + the claim c is bound to the volume v"],
        ),
        (
            {"storageClassName": "no"},
            {},
            facts(),
            ["- pvc/c does not work", ' - the claim c wants the storage class "no", which does not exist'],
        ),
        (
            {},
            {},
            facts(),
            ["- pvc/c does not work", " - the claim c names no storage class, and there is no default one"],
        ),
        (
            {"storageClassName": "local"},
            {},
            facts(others=STORAGE),
            [
                ". pvc/c is not ready yet",
                " . the claim c waits for a pod that uses it; its class binds no earlier",
            ],
        ),
        (
            {"storageClassName": "local"},
            {},
            facts(
                event("ProvisioningFailed", "no room", "c"),
                others=STORAGE,
                pods=(pod(volumes=[{"persistentVolumeClaim": {"claimName": "c"}}]),),
            ),
            ["- pvc/c does not work", " - no volume for the claim c: no room"],
        ),
        (
            {"volumeName": "v"},
            {"phase": "Lost"},
            facts(),
            ["- pvc/c does not work", " - the claim c has lost its volume v: it was deleted"],
        ),
    ],
)
def test_the_story_of_a_claim(spec: Object, status: Object, seen: Facts, told: list[str]) -> None:
    claim: Object = {"metadata": {"name": "c", "uid": "uid-c"}, "spec": spec, "status": status}
    assert lines(claim_story(claim, seen)) == told


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ({}, [". pdb/b is not ready yet", " . it selects no pods"]),
        (
            {"expectedPods": 3, "disruptionsAllowed": 1, "currentHealthy": 3, "desiredHealthy": 2},
            ["+ pdb/b lets pods go", " + 1 of 3 pods may be evicted now; 2 are to stay healthy"],
        ),
        (
            {"expectedPods": 2, "currentHealthy": 2, "desiredHealthy": 2},
            ["- pdb/b does not work", " - no pod may be evicted: all 2 that are healthy are needed"],
        ),
        (
            {"expectedPods": 2, "currentHealthy": 1, "desiredHealthy": 2},
            [
                "- pdb/b does not work",
                " - no pod may be evicted: 1 pods are healthy, and 2 must be",
                "  . pod/p is not ready yet",
                "   + scheduled to vm",
                "   . container a is being made",
            ],
        ),
    ],
)
def test_the_story_of_a_budget(status: Object, told: list[str]) -> None:
    budget: Object = {
        "metadata": {"name": "b"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
        "status": status,
    }
    assert lines(budget_story(budget, facts(pods=(pod(waiting("ContainerCreating"), metadata=LABELS),)))) == told


def test_the_story_of_a_node() -> None:
    assert lines(node_story(NODE, facts())) == ["+ node/vm is ready for pods", " + its kubelet is at work"]
    pressed = {"type": "DiskPressure", "status": "True", "message": "little is left"}
    away = {**READY, "status": "Unknown", "message": "Kubelet stopped posting node status."}
    node: Object = {**NODE, "spec": {"unschedulable": True}, "status": {"conditions": [away, pressed]}}
    assert lines(node_story(node, facts())) == [
        "- node/vm does not work",
        " - it is not ready: Kubelet stopped posting node status.",
        " - DiskPressure: little is left",
        " . it takes no new pods: it is cordoned",
    ]
