"""What is taken, and told of all the same."""

from __future__ import annotations

from typing import Any

import pytest

from jubako.cluster.types.document import Object
from jubako.cluster.types.warning import warnings


def pod(container: Any = None, annotations: Any = None, **spec: Any) -> Object:
    whole: Any = {"containers": [{"name": "c", **(container or {})}], **spec}
    return {"metadata": {"name": "p", "annotations": annotations or {}}, "spec": whole}


def selector(key: str) -> Object:
    terms: Any = [{"matchExpressions": [{"key": key, "operator": "Exists"}]}]
    required: Object = {"nodeSelectorTerms": terms}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


_TERM = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (pod(), []),
        (
            pod(nodeSelector={"beta.kubernetes.io/os": "linux"}),
            [
                'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
            ],
        ),
        (
            pod(affinity=selector("beta.kubernetes.io/instance-type")),
            [
                f"{_TERM}.matchExpressions[0].key: beta.kubernetes.io/instance-type is "
                'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
            ],
        ),
        (
            pod(topologySpreadConstraints=[{"topologyKey": "kubernetes.io/hostname"}]),
            ["spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"],
        ),
        (
            pod(annotations={"seccomp.security.alpha.kubernetes.io/pod": "runtime/default"}),
            [
                "metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: "
                'non-functional in v1.27+; use the "seccompProfile" field instead',
            ],
        ),
        (
            pod(volumes=[{"name": "v", "gitRepo": {"repository": "r"}}]),
            ["spec.volumes[0].gitRepo: deprecated in v1.11"],
        ),
        (pod(imagePullSecrets=[{}]), ['spec.imagePullSecrets[0].name: invalid empty name ""']),
        (
            pod(hostAliases=[{"ip": "192.0.2.1"}, {"ip": "192.0.2.1"}]),
            ['spec.hostAliases[1].ip: duplicate ip "192.0.2.1"'],
        ),
        (
            pod({"resources": {"requests": {"memory": "100m"}}}),
            [
                "spec.containers[0].resources.requests[memory]: "
                'fractional byte value "100m" is invalid, must be an integer',
            ],
        ),
        (
            pod({"env": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "A", "value": "$(A)3"}]}),
            [
                'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
            ],
        ),
        (
            pod({"ports": [{"containerPort": 80}, {"containerPort": 80}, {"containerPort": 80, "hostPort": 8}]}),
            [
                "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
                "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]",
                "spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]",
            ],
        ),
        (
            pod(terminationGracePeriodSeconds=-1),
            [
                "spec.terminationGracePeriodSeconds: "
                "must be >= 0; negative values are invalid and will be treated as 1",
            ],
        ),
    ],
)
def test_what_is_hardly_meant_is_told(document: Object, told: list[str]) -> None:
    assert warnings("Pod", document, None) == told


def test_a_template_is_told_of_when_it_is_another() -> None:
    template: Any = pod(terminationGracePeriodSeconds=-1)
    document: Object = {"metadata": {"name": "d"}, "spec": {"template": template}}
    (told,) = warnings("Deployment", document, None)
    assert told.startswith("spec.template.spec.terminationGracePeriodSeconds: ")
    assert warnings("Deployment", document, document) == []
    assert warnings("Pod", template, template) == []


def test_a_name_that_is_none_for_a_host_is_told() -> None:
    document = pod()
    document["metadata"] = {"name": "p.1"}
    (told,) = warnings("Pod", document, None)
    assert told.startswith("metadata.name: this is used in the Pod's hostname, which can result in surprising behavior")
