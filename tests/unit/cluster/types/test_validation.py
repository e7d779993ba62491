"""What is wrong with a document is said as Kubernetes says it, and what is right is let through."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.cluster.types.valid import GOOD, Change, complaints, drop, good, put

from jubako.cluster.types.resources import group_versions
from jubako.cluster.types.schema import message
from jubako.cluster.types.validation import invalid_status, validate
from jubako.cluster.types.validation.enums import sets

C = "spec/containers/0"
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', "
    "regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
NAME_PART = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
    "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def mounting(*mounts: dict[str, object]) -> Change:
    """Mount a volume as often, each time in another way."""

    def change(document: Any) -> None:
        put("spec/volumes", [{"name": "v", "emptyDir": {}}])(document)
        put(f"{C}/volumeMounts", [{"name": "v", "mountPath": f"/{n}", **each} for n, each in enumerate(mounts)])(
            document
        )

    return change


@pytest.mark.parametrize("name", GOOD)
def test_a_good_document_is_let_through(name: str) -> None:
    of, document = good(name)
    assert [str(error) for error in validate(of, document)] == []


def test_every_set_of_values_is_one_of_a_field() -> None:
    seen = set()
    for group in group_versions():
        waiting = [resource.kind.message_name for resource in group.resources]
        known: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in known:
                known.add(name)
                fields = message(name).fields
                seen.update(field.values for field in fields)
                waiting += [field.type for field in fields if field.message]
    assert sets().keys() <= seen | {"DeletionPropagation"}


METADATA: list[tuple[str, Change, list[str]]] = [
    ("ConfigMap", put("metadata/name", ""), ["metadata.name: Required value: name or generateName is required"]),
    ("ConfigMap", put("metadata/name", "A_b"), [f'metadata.name: Invalid value: "A_b": {SUBDOMAIN}']),
    ("Namespace", put("metadata/name", "a.b"), [f'metadata.name: Invalid value: "a.b": {LABEL}']),
    ("ConfigMap", drop("metadata/namespace"), ["metadata.namespace: Required value"]),
    ("Node", put("metadata/namespace", "x"), ["metadata.namespace: Forbidden: not allowed on this type"]),
    ("ConfigMap", put("metadata/labels", {"a b": "c"}), [f'metadata.labels: Invalid value: "a b": {NAME_PART}']),
    (
        "ConfigMap",
        put("metadata/labels", {"a": "x" * 64}),
        [f'metadata.labels: Invalid value: "{"x" * 64}": must be no more than 63 characters'],
    ),
    (
        "ConfigMap",
        put("metadata/annotations", {"a": "x" * 262144}),
        ["metadata.annotations: Too long: may not be more than 262144 bytes"],
    ),
    (
        "ConfigMap",
        put("metadata/finalizers", ["mine"]),
        [
            'metadata.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it '
            "fully qualified"
        ],
    ),
    (
        "ConfigMap",
        put("metadata/ownerReferences", [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": ""}]),
        ['metadata.ownerReferences.uid: Invalid value: "": uid must not be empty'],
    ),
    ("Role", put("metadata/name", "system:a/b"), ["metadata.name: Invalid value: \"system:a/b\": may not contain '/'"]),
    ("Role", put("metadata/name", "system:Node.x"), []),
]
PODS: list[tuple[str, Change, list[str]]] = [
    ("Pod", put("spec/containers", []), ["spec.containers: Required value"]),
    ("Pod", put(f"{C}/name", ""), ["spec.containers[0].name: Required value"]),
    ("Pod", put(f"{C}/name", "A"), [f'spec.containers[0].name: Invalid value: "A": {LABEL}']),
    ("Pod", put("spec/containers/1", {"name": "c", "image": "x"}), ['spec.containers[1].name: Duplicate value: "c"']),
    ("Pod", put(f"{C}/image", ""), ["spec.containers[0].image: Required value"]),
    (
        "Pod",
        put(f"{C}/imagePullPolicy", "Sometimes"),
        [
            'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": '
            'supported values: "Always", "IfNotPresent", "Never"'
        ],
    ),
    (
        "Pod",
        put("spec/restartPolicy", "Maybe"),
        ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "Never", "OnFailure"'],
    ),
    ("Pod", put(f"{C}/ports", [{"name": "a"}]), ["spec.containers[0].ports[0].containerPort: Required value"]),
    (
        "Pod",
        put(f"{C}/ports", [{"containerPort": 70000}]),
        ["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
    ),
    (
        "Pod",
        put(f"{C}/ports", [{"containerPort": 1, "name": "a--b"}]),
        ['spec.containers[0].ports[0].name: Invalid value: "a--b": must not contain consecutive hyphens'],
    ),
    (
        "Pod",
        put(f"{C}/env", [{"name": "A", "valueFrom": {}}]),
        [
            'spec.containers[0].env[0].valueFrom: Invalid value: "": must specify one of: '
            "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        ],
    ),
    (
        "Pod",
        put(f"{C}/env", [{"name": "A=B", "value": "x"}]),
        [
            'spec.containers[0].env[0].name: Invalid value: "A=B": a valid environment variable name must '
            "consist only of "
            "printable ASCII characters other than '='"
        ],
    ),
    (
        "Pod",
        put(f"{C}/env", [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.nam"}}}]),
        [
            'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.nam": '
            "error converting fieldPath: field label not supported: metadata.nam"
        ],
    ),
    (
        "Pod",
        put(f"{C}/volumeMounts", [{"name": "v", "mountPath": "/v"}]),
        ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ),
    (
        "Pod",
        put(
            "spec/volumes",
            [
                {"name": "v", "image": {"pullPolicy": "Never"}},
                {"name": "w", "emptyDir": {}, "image": {"reference": "x"}},
            ],
        ),
        [
            "spec.volumes[0].image.reference: Required value",
            "spec.volumes[1].image: Forbidden: may not specify more than 1 volume type",
        ],
    ),
    (
        "Pod",
        put("spec/volumes", [{"name": "v", "image": {"reference": "x", "pullPolicy": "Now"}}]),
        [
            'spec.volumes[0].image.pullPolicy: Unsupported value: "Now": supported values: "Always", "IfNotPresent", '
            '"Never"'
        ],
    ),
    (
        "Pod",
        mounting(
            {"mountPropagation": "Bidirectional"},
            {"recursiveReadOnly": "Enabled", "mountPropagation": "None"},
            {"recursiveReadOnly": "IfPossible", "readOnly": True, "mountPropagation": "HostToContainer"},
        ),
        [
            "spec.containers[0].volumeMounts[0].mountPropagation: Forbidden: "
            "Bidirectional mount propagation is available only to privileged containers",
            "spec.containers[0].volumeMounts[1].recursiveReadOnly: Forbidden: "
            "may only be specified when readOnly is true",
            "spec.containers[0].volumeMounts[2].recursiveReadOnly: Forbidden: "
            "may only be specified when mountPropagation is None or not specified",
        ],
    ),
    (
        "Pod",
        put(f"{C}/livenessProbe", {"periodSeconds": -1}),
        [
            "spec.containers[0].livenessProbe: Required value: must specify a handler type",
            "spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ],
    ),
    (
        "Pod",
        put(f"{C}/livenessProbe", {"exec": {"command": ["x"]}, "tcpSocket": {"port": 80}}),
        ["spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type"],
    ),
    (
        "Pod",
        put(f"{C}/resources", {"limits": {"cpu": "1"}, "requests": {"cpu": "2"}}),
        ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
    ),
    (
        "Pod",
        put(f"{C}/resources", {"requests": {"cpu": "-1"}}),
        ['spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    (
        "Pod",
        put(f"{C}/resources", {"requests": {"apples": "1"}, "limits": {"apples": "1"}}),
        [
            f'spec.containers[0].resources.{kind}[apples]: Invalid value: "apples": must be a standard resource {what}'
            for kind in ("limits", "requests")
            for what in ("type or fully qualified", "for containers")
        ],
    ),
    (
        "Pod",
        put(f"{C}/restartPolicy", "Always"),
        ["spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers"],
    ),
    (
        "Pod",
        put(
            "spec/initContainers", [{"name": "i", "image": "x", "lifecycle": {"preStop": {"exec": {"command": ["x"]}}}}]
        ),
        [
            "spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without "
            "restartPolicy=Always"
        ],
    ),
    (
        "Pod",
        put("spec/volumes", [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}]),
        ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
    ),
    ("Pod", put("spec/volumes", [{"name": "v"}, {"name": "v"}]), ['spec.volumes[1].name: Duplicate value: "v"']),
    ("Pod", put("spec/volumes", [{"name": "v", "configMap": {}}]), ["spec.volumes[0].configMap.name: Required value"]),
    (
        "Pod",
        put("spec/volumes", [{"name": "v", "projected": {"sources": [{"configMap": {}}, {"secret": {}}]}}]),
        [
            "spec.volumes[0].projected.sources[0].configMap.name: Required value",
            "spec.volumes[0].projected.sources[1].secret.name: Required value",
        ],
    ),
    (
        "Pod",
        put(
            f"{C}/ports",
            [{"containerPort": port, "hostPort": 8080, "protocol": "TCP"} for port in (80, 81)],
        ),
        ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"'],
    ),
    (
        "Pod",
        put("spec/volumes", [{"name": "v", "secret": {"secretName": "s", "items": [{"key": "a", "path": "../a"}]}}]),
        [
            "spec.volumes[0].secret.items[0].path: Invalid value: \"../a\": must not contain '..'",
            "spec.volumes[0].secret.items[0].path: Invalid value: \"../a\": must not start with '..'",
        ],
    ),
    (
        "Pod",
        put("spec/volumes", [{"name": "v", "configMap": {"name": "s", "defaultMode": 512}}]),
        [
            "spec.volumes[0].configMap.defaultMode: Invalid value: 512: "
            "must be a number between 0 and 0777 (octal), both inclusive"
        ],
    ),
    (
        "Pod",
        put("spec/dnsPolicy", "None"),
        ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
    ),
    (
        "Pod",
        put("spec/activeDeadlineSeconds", 0),
        ["spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"],
    ),
    (
        "Pod",
        put("spec/tolerations", [{"value": "x"}]),
        [
            'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, '
            'which means "match all values and all keys"'
        ],
    ),
    (
        "Pod",
        put(f"{C}/securityContext", {"privileged": True, "allowPrivilegeEscalation": False}),
        [
            'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: '
            "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        ],
    ),
    (
        "Pod",
        put("spec/securityContext", {"runAsUser": -1}),
        ["spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive"],
    ),
    (
        "Pod",
        put("spec/affinity", {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{}]}}),
        [
            "spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topologyKey: "
            "Required value: can not be empty"
        ],
    ),
]
P = "spec/rules/0/http/paths/0"
INGRESSES: list[tuple[str, Change, list[str]]] = [
    (
        "Ingress",
        put("spec", {}),
        ["spec: Invalid value: {}: either `defaultBackend` or `rules` must be specified"],
    ),
    (
        "Ingress",
        put("spec/defaultBackend", {}),
        ["spec.defaultBackend: Required value: either resource or service backend must be specified"],
    ),
    ("Ingress", put("spec/rules/0/http/paths", []), ["spec.rules[0].http.paths: Required value"]),
    ("Ingress", put("spec/rules/0/host", "a_b"), [f'spec.rules[0].host: Invalid value: "a_b": {SUBDOMAIN}']),
    (
        "Ingress",
        put(f"{P}/path", "x"),
        ['spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path'],
    ),
    (
        "Ingress",
        drop(f"{P}/pathType"),
        ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"],
    ),
    (
        "Ingress",
        put(f"{P}/backend/service", {"name": "s"}),
        ["spec.rules[0].http.paths[0].backend.service: Required value: port name or number is required"],
    ),
    ("IngressClass", put("spec", {}), ["spec.controller: Required value"]),
]
WORKLOADS: list[tuple[str, Change, list[str]]] = [
    (
        "ReplicationController",
        put("spec/selector", {"x": "y"}),
        ['spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`'],
    ),
    ("Deployment", drop("spec/selector"), ["spec.selector: Required value"]),
    (
        "Deployment",
        put("spec/selector", {}),
        ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    ),
    (
        "Deployment",
        put("spec/template/metadata/labels", {"x": "y"}),
        ['spec.template.metadata.labels: Invalid value: {"x":"y"}: `selector` does not match template `labels`'],
    ),
    (
        "Deployment",
        put("spec/template/spec/restartPolicy", "Never"),
        ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ),
    ("Deployment", put("spec/replicas", -1), ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
    (
        "Deployment",
        put("spec/strategy", {"type": "Recreate", "rollingUpdate": {}}),
        ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ),
    (
        "Deployment",
        put("spec/strategy/rollingUpdate", {"maxUnavailable": 0, "maxSurge": "0%"}),
        ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
    ),
    (
        "Deployment",
        put("spec/strategy/rollingUpdate/maxUnavailable", "101%"),
        ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ),
    (
        "Deployment",
        put("spec/minReadySeconds", 600),
        ["spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds"],
    ),
    (
        "Job",
        put("spec/template/spec/restartPolicy", "Always"),
        ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ),
    (
        "Job",
        lambda document: (drop("spec/completions")(document), put("spec/completionMode", "Indexed")(document)),
        ["spec.completions: Required value: when completion mode is Indexed"],
    ),
    (
        "CronJob",
        put("spec/schedule", "* * *"),
        ['spec.schedule: Invalid value: "* * *": expected exactly 5 fields, found 3: [* * *]'],
    ),
    (
        "CronJob",
        put("spec/schedule", "60 * * * *"),
        ['spec.schedule: Invalid value: "60 * * * *": end of range (60) above maximum (59): 60'],
    ),
    ("CronJob", put("spec/schedule", "@daily"), []),
    ("CronJob", put("spec/schedule", "0 9-17/2 * JAN-mar MON,fri"), []),
    ("CronJob", put("spec/timeZone", "Mars"), ['spec.timeZone: Invalid value: "Mars": unknown time zone Mars']),
    (
        "CronJob",
        put("spec/timeZone", "../../etc/passwd"),
        ['spec.timeZone: Invalid value: "../../etc/passwd": unknown time zone ../../etc/passwd'],
    ),
    (
        "CronJob",
        put("metadata/name", "x" * 53),
        [f'metadata.name: Invalid value: "{"x" * 53}": must be no more than 52 characters'],
    ),
    (
        "StatefulSet",
        lambda document: (
            put("spec/volumeClaimTemplates", [{"metadata": {"name": "data"}, "spec": {}}])(document),
            put("spec/template/spec/containers/0/volumeMounts", [{"name": "data", "mountPath": "/d"}])(document),
        ),
        [],
    ),
]
OTHERS: list[tuple[str, Change, list[str]]] = [
    ("Service", put("spec/ports", []), ["spec.ports: Required value"]),
    (
        "Service",
        put("spec/ports/0/port", 0),
        [
            "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
        ],
    ),
    (
        "Service",
        put("spec/ports/1", {"port": 81}),
        ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ),
    (
        "Service",
        put("spec/ports/0/nodePort", 30000),
        ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ),
    (
        "Service",
        lambda document: document["spec"].update(type="NodePort", clusterIP="None", clusterIPs=["None"]),
        ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for NodePort services"],
    ),
    ("Service", put("spec/type", "ExternalName"), ["spec.externalName: Required value"]),
    (
        "Service",
        put("metadata/name", "1a"),
        [
            'metadata.name: Invalid value: "1a": a DNS-1035 label must consist of lower case alphanumeric '
            "characters or '-', "
            "start with an alphabetic character, and end with an alphanumeric character "
            "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
        ],
    ),
    (
        "Service",
        put("spec/externalIPs", ["127.0.0.1"]),
        ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ),
    (
        "ConfigMap",
        put("data", {"a/b": "c"}),
        [
            'data[a/b]: Invalid value: "a/b": a valid config key must consist of alphanumeric characters, '
            "'-', '_' or '.' "
            "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        ],
    ),
    ("ConfigMap", put("data", {"a": "x" * 1048577}), [": Too long: may not be more than 1048576 bytes"]),
    ("Secret", put("type", "kubernetes.io/tls"), ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
    (
        "PersistentVolumeClaim",
        put("spec/accessModes", []),
        ["spec.accessModes: Required value: at least 1 access mode is required"],
    ),
    ("PersistentVolumeClaim", put("spec/resources", {}), ["spec.resources[storage]: Required value"]),
    (
        "PersistentVolumeClaim",
        put("spec/resources", {"requests": {"storage": "0"}}),
        ['spec.resources[storage]: Invalid value: "0": must be greater than zero'],
    ),
    ("PersistentVolume", drop("spec/hostPath"), ["spec: Required value: must specify a volume type"]),
    ("StorageClass", put("provisioner", ""), ["provisioner: Required value"]),
    ("Role", put("rules/0/verbs", []), ["rules[0].verbs: Required value: verbs must contain at least one value"]),
    (
        "Role",
        put("rules", [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]),
        ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    ),
    (
        "ClusterRoleBinding",
        put("roleRef/kind", "Role"),
        ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
    ),
    (
        "RoleBinding",
        put("subjects/0", {"kind": "ServiceAccount", "name": "s"}),
        ["subjects[0].namespace: Required value"],
    ),
    (
        "Pod",
        put("spec/containers/0/lifecycle", {"preStop": {"sleep": {"seconds": 31}}}),
        [
            "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: "
            "must be greater than 0 and less than terminationGracePeriodSeconds (30)",
        ],
    ),
    (
        "StatefulSet",
        put("spec/updateStrategy", {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}}),
        ["spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0"],
    ),
    (
        "RuntimeClass",
        put("overhead/podFixed", {"memory": "-1"}),
        ['overhead.podFixed[memory]: Invalid value: "-1": must be greater than or equal to 0'],
    ),
    (
        "PriorityClass",
        put("value", 1000000001),
        ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"],
    ),
    (
        "PodDisruptionBudget",
        put("spec/maxUnavailable", 1),
        [
            'spec: Invalid value: {"minAvailable":"50%","selector":{},"maxUnavailable":1}: '
            "minAvailable and maxUnavailable cannot be both set"
        ],
    ),
    (
        "EndpointSlice",
        put("endpoints/0/addresses", ["::1"]),
        ['endpoints[0].addresses[0]: Invalid value: "::1": must be a valid IPv4 address'],
    ),
    (
        "Lease",
        put("spec/leaseDurationSeconds", 0),
        ["spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"],
    ),
    (
        "Event",
        put("involvedObject/namespace", "other"),
        ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ),
    (
        "TokenRequest",
        put("spec/expirationSeconds", 60),
        ["spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes"],
    ),
    ("Scale", put("spec/replicas", -1), ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"]),
]


@pytest.mark.parametrize(("name", "change", "expected"), [*METADATA, *PODS, *WORKLOADS, *INGRESSES, *OTHERS])
def test_what_is_wrong_is_said_in_the_words_of_kubernetes(name: str, change: Change, expected: list[str]) -> None:
    assert complaints(name, change) == expected


def test_the_status_of_a_refusal_has_a_cause_for_each_complaint() -> None:
    of, document = good("Deployment")
    document["spec"]["template"]["spec"]["containers"][0] |= {"name": "", "image": ""}
    assert invalid_status(of, "x", validate(of, document)) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Deployment.apps "x" is invalid: [spec.template.spec.containers[0].name: Required value, '
        "spec.template.spec.containers[0].image: Required value]",
        "reason": "Invalid",
        "details": {
            "name": "x",
            "group": "apps",
            "kind": "Deployment",
            "causes": [
                {
                    "reason": "FieldValueRequired",
                    "message": "Required value",
                    "field": f"spec.template.spec.containers[0].{field}",
                }
                for field in ("name", "image")
            ],
        },
        "code": 422,
    }
