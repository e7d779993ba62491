"""The variables of a container."""

from __future__ import annotations

from typing import Any

import pytest

from jubako.cluster.node.environment import Facts, Missing, environment, expanded, of_services, resource_of
from jubako.cluster.types.document import Object

POD: Object = {"metadata": {"name": "p", "namespace": "n", "uid": "u", "labels": {"a": "b"}}, "spec": {}}
MAP: Object = {"kind": "ConfigMap", "data": {"x": "1", "y": "2"}}
SECRET: Object = {"kind": "Secret", "data": {"key": "c2VjcmV0"}}
FACTS = Facts(address="10.0.0.2", host="10.0.0.1", node="one")


def look(kind: str, name: str) -> Object | None:
    return {("ConfigMap", "map"): MAP, ("Secret", "secret"): SECRET}.get((kind, name))


def variables(*env: Object, sources: list[Object] | None = None) -> dict[str, str]:
    container: Object = {"name": "c", "env": list(env), "envFrom": list(sources or [])}
    return environment(POD, container, look, FACTS, {"KUBERNETES_SERVICE_HOST": "10.96.0.1"})


def source(name: str, **of: Any) -> Object:
    return {"name": name, "valueFrom": of}


def test_values_come_from_all_sources_and_the_last_one_wins() -> None:
    found = variables(
        {"name": "x", "value": "own"},
        source("K", secretKeyRef={"name": "secret", "key": "key"}),
        source("IP", fieldRef={"fieldPath": "status.podIP"}),
        source("L", fieldRef={"fieldPath": "metadata.labels['a']"}),
        sources=[{"configMapRef": {"name": "map"}}, {"prefix": "P_", "secretRef": {"name": "secret"}}],
    )
    assert found == {
        "KUBERNETES_SERVICE_HOST": "10.96.0.1", "x": "own", "y": "2", "P_key": "secret", "K": "secret",
        "IP": "10.0.0.2", "L": "b",
    }  # fmt: skip


def test_references_to_what_stands_before_are_replaced() -> None:
    found = variables({"name": "A", "value": "1"}, {"name": "B", "value": "$(A)$(C)$$(A)"}, {"name": "C", "value": "3"})
    assert found["B"] == "1$(C)$(A)"
    assert expanded("$(A) $$ $x", {"A": "1"}) == "1 $ $x"


@pytest.mark.parametrize(
    ("of", "message"),
    [
        ({"configMapKeyRef": {"name": "none", "key": "k"}}, 'configmap "none" not found'),
        ({"configMapKeyRef": {"name": "map", "key": "k"}}, "couldn't find key k in ConfigMap n/map"),
        ({"fieldRef": {"fieldPath": "spec.wrong"}}, "unsupported fieldPath: spec.wrong"),
    ],
)
def test_what_is_missing_is_named(of: dict[str, Any], message: str) -> None:
    with pytest.raises(Missing, match=message.replace("(", r"\(")):
        variables(source("A", **of))


def test_what_is_optional_may_be_missing() -> None:
    found = variables(
        source("A", configMapKeyRef={"name": "none", "key": "k", "optional": True}),
        sources=[{"secretRef": {"name": "none", "optional": True}}],
    )
    assert "A" not in found


def test_resources_are_counted_in_divisors() -> None:
    container: Object = {"resources": {"limits": {"memory": "64Mi", "cpu": "250m"}}}
    assert resource_of(container, "limits.memory", "1Mi", FACTS) == "64"
    assert resource_of(container, "limits.cpu", "", FACTS) == "1"
    assert resource_of(container, "limits.cpu", "1m", FACTS) == "250"


def test_without_a_limit_it_is_what_the_node_has() -> None:
    facts = Facts(allocatable={"cpu": "4", "memory": "8Gi"})
    assert resource_of({}, "limits.cpu", "", facts) == "4"
    assert resource_of({}, "limits.memory", "1Gi", facts) == "8"
    assert resource_of({}, "requests.cpu", "", facts) == "0"


def test_services_are_told_with_their_ports() -> None:
    port: Object = {"name": "web", "port": 80, "protocol": "TCP"}
    services: list[Object] = [
        {"metadata": {"name": "my-app"}, "spec": {"clusterIP": "10.96.0.9", "ports": [port]}},
        {"metadata": {"name": "headless"}, "spec": {"clusterIP": "None", "ports": [port]}},
    ]
    assert of_services(services) == {
        "MY_APP_SERVICE_HOST": "10.96.0.9", "MY_APP_SERVICE_PORT": "80", "MY_APP_SERVICE_PORT_WEB": "80",
        "MY_APP_PORT": "tcp://10.96.0.9:80", "MY_APP_PORT_80_TCP": "tcp://10.96.0.9:80",
        "MY_APP_PORT_80_TCP_PROTO": "tcp", "MY_APP_PORT_80_TCP_PORT": "80", "MY_APP_PORT_80_TCP_ADDR": "10.96.0.9",
    }  # fmt: skip
