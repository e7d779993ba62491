"""Bodies become the documents that Kubernetes would keep, and what is wrong with them is said in its words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jubako.cluster.types.decoding.body import MAX_BODY_BYTES, PROTOBUF_TYPE, YAML_TYPE, FieldValidation, decode
from jubako.cluster.types.resources import kind
from jubako.cluster.types.served import Kind
from jubako.errors import InvalidArgument, ResourceExhausted


def named(api_version: str, name: str) -> Kind:
    found = kind(api_version, name)
    assert found
    return found


POD, DEPLOYMENT, CONFIG_MAP = named("v1", "Pod"), named("apps/v1", "Deployment"), named("v1", "ConfigMap")


def read(value: object, of: Kind = POD, validation: FieldValidation = "Warn") -> Any:
    return decode(json.dumps(value).encode(), of, validation=validation)


def refusal(body: bytes, of: Kind = POD, media_type: str = "application/json", **options: Any) -> str:
    with pytest.raises(InvalidArgument) as caught:
        decode(body, of, media_type=media_type, **options)
    return caught.value.message


def test_a_body_without_a_kind_is_of_the_kind_that_it_is_sent_to() -> None:
    assert read({"metadata": {"name": "a"}}, CONFIG_MAP).document == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a", "creationTimestamp": None},
    }


def test_structs_are_there_even_when_nobody_set_them() -> None:
    document = read({"spec": {"template": {}}}, DEPLOYMENT).document
    assert document["status"] == {}
    assert document["spec"]["strategy"] == {}
    assert document["spec"]["selector"] is None
    assert document["spec"]["template"] == {"metadata": {"creationTimestamp": None}, "spec": {"containers": None}}


def test_values_get_their_canonical_form() -> None:
    limits = {"cpu": 0.5, "memory": "1.5Gi", "example.com/gpu": "1e3"}
    body = {"spec": {"containers": [{"resources": {"limits": limits}}], "nodeSelector": {}, "hostname": ""}}
    spec = read({**body, "metadata": {"creationTimestamp": "2024-01-01T02:00:00.9+02:00", "labels": None}}).document
    assert spec["spec"]["containers"][0]["resources"]["limits"] == {
        "cpu": "500m",
        "memory": "1536Mi",
        "example.com/gpu": "1e3",
    }
    assert spec["metadata"] == {"creationTimestamp": "2024-01-01T00:00:00Z"}
    assert spec["spec"].keys() == {"containers"}


UNKNOWN = {"spec": {"foo": 1, "containers": [{"name": "a"}, {"imagee": "b", "ports": [{"porrt": 1}]}]}, "x": {}}
PROBLEMS = ["x", "spec.foo", "spec.containers[1].imagee", "spec.containers[1].ports[0].porrt"]


def test_unknown_fields_are_warned_of_and_gone() -> None:
    found = read(UNKNOWN)
    assert found.warnings == [f'unknown field "{path}"' for path in PROBLEMS]
    assert "foo" not in found.document["spec"]


def test_unknown_fields_are_refused_when_validation_is_strict() -> None:
    expected = ", ".join(f'unknown field "{path}"' for path in PROBLEMS)
    text = f'Pod in version "v1" cannot be handled as a Pod: strict decoding error: {expected}'
    assert refusal(json.dumps(UNKNOWN).encode(), validation="Strict") == text


def test_unknown_fields_are_silent_when_validation_is_off() -> None:
    assert read(UNKNOWN, validation="Ignore").warnings == []


@pytest.mark.parametrize("media_type", ["application/json", YAML_TYPE])
def test_fields_that_stand_twice_are_told_and_the_last_counts(media_type: str) -> None:
    body = b'{"data": {"a": "1", "b": "2", "a": "3"}, "metadata": {"name": "x", "name": "y"}}'
    found = decode(body, CONFIG_MAP, media_type=media_type)
    assert found.warnings == ['duplicate field "metadata.name"', 'duplicate field "data.a"']
    assert found.document["data"] == {"a": "3", "b": "2"}


@pytest.mark.parametrize(
    ("value", "of", "message"),
    [
        (
            {"data": {"a": True}},
            CONFIG_MAP,
            'ConfigMap in version "v1" cannot be handled as a ConfigMap: '
            "json: cannot unmarshal bool into Go struct field ConfigMap.data of type string",
        ),
        (
            {"spec": {"replicas": "3"}},
            DEPLOYMENT,
            'Deployment in version "v1" cannot be handled as a Deployment: '
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            {"spec": {"containers": {}}},
            POD,
            'Pod in version "v1" cannot be handled as a Pod: '
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            {"spec": {"containers": [{"env": [{"value": 1}]}]}},
            POD,
            'Pod in version "v1" cannot be handled as a Pod: '
            "json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string",
        ),
        (
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "much"}}}]}},
            POD,
            'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression '
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            {"metadata": {"creationTimestamp": "yesterday"}},
            POD,
            'Pod in version "v1" cannot be handled as a Pod: parsing time "yesterday" as '
            '"2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
        ),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(value: object, of: Kind, message: str) -> None:
    assert refusal(json.dumps(value).encode(), of) == message


def test_another_kind_is_refused() -> None:
    assert "no kind" in refusal(b'{"apiVersion": "v1", "kind": "Bod"}')
    assert "cannot be handled as a Pod" in refusal(b'{"apiVersion": "v1", "kind": "ConfigMap"}')
    assert refusal(b'{"apiVersion": "v1", "kind": "Event"}', named("events.k8s.io/v1", "Event")) == (
        "the API version in the data (v1) does not match the expected API version (events.k8s.io/v1)"
    )


def test_an_older_version_of_the_same_form_is_taken() -> None:
    eviction = named("policy/v1", "Eviction")
    document = decode(b'{"apiVersion": "policy/v1beta1", "kind": "Eviction"}', eviction).document
    assert document["apiVersion"] == "policy/v1"


def test_a_part_of_an_object_is_no_kind() -> None:
    assert kind("v1", "PodSpec") is None
    assert kind("v2", "Pod") is None
    assert kind("../v1", "Pod") is None


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'{"spec": NaN}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'{"spec":' * 100_000, "application/json"),
        (b"[" * 100_000, YAML_TYPE),
        (b"a: " * 50_000, YAML_TYPE),
        (b"- " * 100_000, YAML_TYPE),
        (b"a: &a [*a]", YAML_TYPE),
        (b"? [a]\n: b", YAML_TYPE),
        (b"a: *nowhere", YAML_TYPE),
        (b"", PROTOBUF_TYPE),
        (b"k8s\0\xff", PROTOBUF_TYPE),
        (b"k8s\0\x12\x02\x0a\xff", PROTOBUF_TYPE),
    ],
)
def test_what_is_no_body_is_refused(body: bytes, media_type: str) -> None:
    assert refusal(body, media_type=media_type)


def test_aliases_that_multiply_are_refused() -> None:
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)]
    assert "excessive aliasing" in refusal(b"\n".join(lines), media_type=YAML_TYPE)


def test_a_body_beyond_the_limit_is_refused_unread() -> None:
    with pytest.raises(ResourceExhausted, match="Request entity too large: limit is 3145728"):
        decode(b" " * (MAX_BODY_BYTES + 1), POD)


def test_yaml_keeps_moments_as_text_and_merges_keys() -> None:
    body = b"""
base: &base {a: "1", b: "2"}
data:
  <<: *base
  b: "3"
metadata: {name: 2024-01-01, labels: {no: "yes"}}
"""
    document = decode(body, CONFIG_MAP, media_type=YAML_TYPE).document
    assert document["data"] == {"a": "1", "b": "3"}
    assert document["metadata"] == {"name": "2024-01-01", "creationTimestamp": None, "labels": {"false": "yes"}}


def test_deeply_nested_raw_values_are_refused() -> None:
    deep = b'{"data":' + b'{"a":' * 400 + b"1" + b"}" * 401
    assert "max depth" in refusal(deep, named("apps/v1", "ControllerRevision"))


def test_a_lone_surrogate_is_replaced() -> None:
    document = decode(b'{"data": {"a": "x\\ud800y"}}', CONFIG_MAP).document
    assert document["data"] == {"a": "x\ufffdy"}
