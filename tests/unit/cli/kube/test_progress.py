from __future__ import annotations

import pytest

from jubako.cli.kube.rollout.progress import Progress, progress
from jubako.cluster.types.document import Object
from jubako.errors import FailedPrecondition, InvalidArgument


def make(kind: str, spec: Object, status: Object, *, generation: int = 1, revision: str = "3") -> Object:
    annotations: Object = {"deployment.kubernetes.io/revision": revision}
    metadata: Object = {"name": "x", "generation": generation, "annotations": annotations}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": {"observedGeneration": 1, **status}}


ROLLING: Object = {"updateStrategy": {"type": "RollingUpdate"}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (make("Deployment", {"replicas": 3}, {}, generation=2), "Waiting for deployment spec update to be observed..."),
        (
            make("Deployment", {"replicas": 3}, {"replicas": 3, "updatedReplicas": 1}),
            'Waiting for deployment "x" rollout to finish: 1 out of 3 new replicas have been updated...',
        ),
        (
            make("Deployment", {"replicas": 3}, {"replicas": 4, "updatedReplicas": 3}),
            'Waiting for deployment "x" rollout to finish: 1 old replicas are pending termination...',
        ),
        (
            make("Deployment", {"replicas": 3}, {"replicas": 3, "updatedReplicas": 3, "availableReplicas": 2}),
            'Waiting for deployment "x" rollout to finish: 2 of 3 updated replicas are available...',
        ),
        (
            make("DaemonSet", ROLLING, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 1}),
            'Waiting for daemon set "x" rollout to finish: 1 out of 2 new pods have been updated...',
        ),
        (
            make("DaemonSet", ROLLING, {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2}),
            'Waiting for daemon set "x" rollout to finish: 0 of 2 updated pods are available...',
        ),
        (make("StatefulSet", {**ROLLING, "replicas": 2}, {"readyReplicas": 1}), "Waiting for 1 pods to be ready..."),
        (
            make(
                "StatefulSet",
                {"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}},
                {"readyReplicas": 3},
            ),
            "Waiting for partitioned roll out to finish: 0 out of 1 new pods have been updated...",
        ),
        (
            make(
                "StatefulSet",
                {**ROLLING, "replicas": 1},
                {"readyReplicas": 1, "updateRevision": "b", "currentRevision": "a"},
            ),
            "waiting for statefulset rolling update to complete 0 pods at revision b...",
        ),
    ],
)
def test_what_is_waited_for(document: Object, message: str) -> None:
    assert progress(document) == Progress(message)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            make("Deployment", {"replicas": 1}, {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}),
            'deployment "x" successfully rolled out',
        ),
        (make("DaemonSet", ROLLING, {}), 'daemon set "x" successfully rolled out'),
        (
            make(
                "StatefulSet",
                {**ROLLING, "replicas": 1},
                {"readyReplicas": 1, "currentReplicas": 1, "updateRevision": "b", "currentRevision": "b"},
            ),
            "statefulset rolling update complete 1 pods at revision b...",
        ),
    ],
)
def test_what_is_done(document: Object, message: str) -> None:
    assert progress(document) == Progress(message, done=True)


@pytest.mark.parametrize(
    ("document", "revision", "message"),
    [
        (make("Deployment", {}, {}), 7, "desired revision (7) is different from the running revision (3)"),
        (
            make("Deployment", {}, {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}),
            0,
            'deployment "x" exceeded its progress deadline',
        ),
        (
            make("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, {}),
            0,
            "rollout status is only available for RollingUpdate strategy type",
        ),
        (make("ConfigMap", {}, {}), 0, "no status viewer has been implemented for ConfigMap"),
    ],
)
def test_what_will_not_end(document: Object, revision: int, message: str) -> None:
    with pytest.raises((FailedPrecondition, InvalidArgument)) as refused:
        progress(document, revision)
    assert refused.value.message == message
