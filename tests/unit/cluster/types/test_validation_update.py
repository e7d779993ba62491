"""What may not change in an object that exists is refused as Kubernetes refuses it."""

from __future__ import annotations

import pytest
from tests.unit.cluster.types.valid import GOOD, Change, drop, put, update_complaints

TOLERATION = {"key": "a", "operator": "Exists", "effect": "NoExecute"}
POD_REFUSAL = (
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\nchanged: {}\n"
)


@pytest.mark.parametrize(
    "name", [name for name in GOOD if "Review" not in name and name not in ("Scale", "TokenRequest")]
)
def test_an_update_that_changes_nothing_is_let_through(name: str) -> None:
    assert update_complaints(name, lambda document: None) == []


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("ConfigMap", put("metadata/uid", "2"), ['metadata.uid: Invalid value: "2": field is immutable']),
        (
            "ConfigMap",
            put("metadata/resourceVersion", ""),
            ['metadata.resourceVersion: Invalid value: "": must be specified for an update'],
        ),
        ("Pod", put("spec/containers/0/image", "other"), []),
        ("Pod", put("spec/tolerations", [TOLERATION]), []),
        ("Pod", put("spec/activeDeadlineSeconds", 5), []),
        ("Pod", put("spec/hostname", "h"), [POD_REFUSAL.format("spec.hostname")]),
        ("Pod", put("spec/containers/0/command", ["x"]), [POD_REFUSAL.format("spec.containers[0].command")]),
        (
            "Pod",
            put("spec/containers/1", {"name": "d", "image": "x"}),
            ["spec.containers: Forbidden: pod updates may not add or remove containers"],
        ),
        (
            "Deployment",
            lambda document: (
                put("spec/selector/matchLabels/a", "c")(document),
                put("spec/template/metadata/labels/a", "c")(document),
            ),
            ['spec.selector: Invalid value: {"matchLabels":{"a":"c"}}: field is immutable'],
        ),
        ("Deployment", put("spec/replicas", 5), []),
        (
            "StatefulSet",
            put("spec/serviceName", "other"),
            [
                "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                "'template', "
                "'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
            ],
        ),
        ("Job", put("spec/completions", 2), ["spec.completions: Invalid value: 2: field is immutable"]),
        ("Job", put("spec/parallelism", 2), []),
        ("Secret", put("type", "other"), ['type: Invalid value: "other": field is immutable']),
        (
            "RoleBinding",
            put("roleRef/name", "other"),
            [
                'roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"other"}: '
                "cannot change roleRef"
            ],
        ),
        (
            "PersistentVolumeClaim",
            put("spec/accessModes", ["ReadWriteMany"]),
            [
                "spec: Forbidden: spec is immutable after creation except resources.requests and "
                "volumeAttributesClassName "
                "for bound claims"
            ],
        ),
        ("PersistentVolumeClaim", put("spec/volumeName", "v"), []),
        (
            "PersistentVolume",
            put("spec/hostPath/path", "/y"),
            ["spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"],
        ),
        (
            "StorageClass",
            put("provisioner", "other.io/p"),
            ["provisioner: Forbidden: updates to provisioner are forbidden."],
        ),
        ("RuntimeClass", put("handler", "other"), ['handler: Invalid value: "other": field is immutable']),
        ("PriorityClass", put("value", 5), ["value: Forbidden: may not be changed in an update."]),
        ("ControllerRevision", put("data", {"a": 1}), ['data: Invalid value: {"a":1}: field is immutable']),
        (
            "EndpointSlice",
            lambda document: document.update(addressType="FQDN", endpoints=[]),
            ['addressType: Invalid value: "FQDN": field is immutable'],
        ),
    ],
)
def test_changes_are_refused_or_let_through(name: str, change: Change, expected: list[str]) -> None:
    assert update_complaints(name, change) == expected


@pytest.mark.parametrize(
    ("name", "before", "change", "expected"),
    [
        (
            "ConfigMap",
            put("immutable", True),
            lambda document: document.update(data={}, immutable=False),
            [
                "immutable: Forbidden: field is immutable when `immutable` is set",
                "data: Forbidden: field is immutable when `immutable` is set",
            ],
        ),
        (
            "Service",
            lambda document: document["spec"].update(clusterIP="10.0.0.1", clusterIPs=["10.0.0.1"]),
            lambda document: document["spec"].update(clusterIP="10.0.0.2", clusterIPs=["10.0.0.2"]),
            ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
        ),
        (
            "Pod",
            put("spec/activeDeadlineSeconds", 5),
            put("spec/activeDeadlineSeconds", 6),
            ["spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value"],
        ),
        (
            "Pod",
            put("spec/tolerations", [TOLERATION]),
            put("spec/tolerations", []),
            ["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"],
        ),
        ("Pod", put("spec/tolerations", [TOLERATION]), put("spec/tolerations/0/tolerationSeconds", 3), []),
        ("Job", put("spec/suspend", True), put("spec/template/spec/nodeSelector", {"a": "b"}), []),
        (
            "PersistentVolumeClaim",
            lambda document: document["status"].update(phase="Bound", capacity={"storage": "1Gi"}),
            put("spec/resources/requests/storage", "2Gi"),
            [],
        ),
        (
            "PersistentVolumeClaim",
            lambda document: document["status"].update(phase="Bound", capacity={"storage": "1Gi"}),
            put("spec/resources/requests/storage", "1Mi"),
            ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"],
        ),
        (
            "ConfigMap",
            put("metadata/deletionTimestamp", "2026-01-01T00:00:00Z"),
            drop("metadata/deletionTimestamp"),
            ["metadata.deletionTimestamp: Invalid value: null: field is immutable"],
        ),
    ],
)
def test_what_was_before_decides(name: str, before: Change, change: Change, expected: list[str]) -> None:
    assert update_complaints(name, change, before) == expected
