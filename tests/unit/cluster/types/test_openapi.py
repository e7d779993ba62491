"""The OpenAPI documents are whole, say what clients merge by, and are made once."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from jubako.cluster.types.openapi import v2, v3
from jubako.cluster.types.protobuf.wire import fields
from jubako.cluster.types.resources import group_versions
from jubako.cluster.types.served import GroupVersion

SERVED = group_versions()


def parsed(group: GroupVersion) -> Any:
    return json.loads(v3.document(group)[0])


@pytest.mark.parametrize("group", SERVED, ids=lambda group: group.api_version)
def test_every_reference_of_a_v3_document_leads_somewhere(group: GroupVersion) -> None:
    text = v3.document(group)[0].decode()
    schemas = json.loads(text)["components"]["schemas"]
    for name in set(re.findall(r'"#/components/schemas/([^"]+)"', text)):
        assert schemas[name]


@pytest.mark.parametrize("group", SERVED, ids=lambda group: group.api_version)
def test_every_kind_of_a_group_has_a_schema_that_names_it(group: GroupVersion) -> None:
    document = parsed(group)
    named = {
        (row["group"], row["version"], row["kind"])
        for schema in document["components"]["schemas"].values()
        for row in schema.get("x-kubernetes-group-version-kind", ())
    }
    for found in group.resources:
        assert (group.group, group.version, found.kind.name) in named
        path = next(path for path in document["paths"] if path.endswith(f"/{found.plural}"))
        assert document["paths"][path]


def test_list_types_merge_keys_and_required_fields_are_told() -> None:
    schemas = parsed(SERVED[0])["components"]["schemas"]
    container = schemas["io.k8s.api.core.v1.Container"]
    ports = container["properties"]["ports"]
    assert container["required"] == ["name"]
    assert ports["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert (ports["x-kubernetes-list-type"], ports["x-kubernetes-patch-merge-key"]) == ("map", "containerPort")
    assert schemas["io.k8s.api.core.v1.ContainerPort"]["properties"]["protocol"]["default"] == "TCP"
    assert schemas["io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector"]["x-kubernetes-map-type"] == "atomic"


def test_patches_say_that_they_take_a_dry_run_and_field_validation() -> None:
    patch = parsed(SERVED[0])["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"]
    assert {"dryRun", "fieldValidation"} <= {row["name"] for row in patch["parameters"]}
    assert patch["x-kubernetes-group-version-kind"] == {"group": "", "version": "v1", "kind": "Pod"}


def test_the_index_names_each_document_by_its_hash() -> None:
    paths: Any = v3.index(SERVED)["paths"]
    assert paths["apis/apps/v1"]["serverRelativeURL"].startswith("/openapi/v3/apis/apps/v1?hash=")
    assert v3.document(SERVED[0]) is v3.document(SERVED[0])


def test_the_v2_document_has_every_kind_in_both_forms() -> None:
    document = json.loads(v2.document(SERVED)[0])
    text = json.dumps(document)
    for name in set(re.findall(r'"#/definitions/([^"]+)"', text)):
        assert document["definitions"][name]
    wire = {number: value for number, _, value in fields(v2.document_protobuf(SERVED)[0])}
    assert wire[1] == b"2.0"
    definitions = wire[9]
    assert isinstance(definitions, bytes)
    assert len(list(fields(definitions))) == len(document["definitions"])
