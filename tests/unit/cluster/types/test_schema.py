"""The table of facts is whole: every message can be read, and what it refers to is there."""

from __future__ import annotations

from importlib import resources as files

import pytest

from jubako.cluster.types.resources import group_versions, kind, resource, resource_of
from jubako.cluster.types.schema import message
from jubako.cluster.types.served import VERBS

FACTS = files.files("jubako.cluster.types") / "facts"
PACKAGES = [path.name for path in FACTS.iterdir() if "_v" in path.name]


def messages(package: str) -> list[str]:
    name = package.removesuffix(".txt").replace("_", "/")
    lines = (FACTS / package).read_text("utf-8").splitlines()
    return [f"{name}.{line.split()[0]}" for line in lines if not line.startswith(" ")]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_message_of_a_package_can_be_read(package: str) -> None:
    for name in messages(package):
        for field in message(name).fields:
            assert field.shape != "one" or not field.list_type
            if field.message:
                assert field.message.fields or field.message.name.endswith("Options") or field.type


@pytest.mark.parametrize("package", PACKAGES)
def test_no_number_stands_for_two_fields(package: str) -> None:
    for name in messages(package):
        numbers = [field.number for field in message(name).fields if field.number]
        assert len(numbers) == len(set(numbers))


def test_the_facts_of_a_field_are_read() -> None:
    ports = message("core/v1.Container").by_name["ports"]
    assert (ports.number, ports.type, ports.shape) == (6, "core/v1.ContainerPort", "list")
    assert (ports.patch, ports.merge_key) == (("merge",), "containerPort")
    assert (ports.list_type, ports.list_keys) == ("map", ("containerPort", "protocol"))
    assert message("core/v1.PodSpec").by_name["volumes"].patch == ("merge", "retainKeys")
    assert message("core/v1.Probe").by_name["httpGet"].type == "core/v1.HTTPGetAction"
    assert message("core/v1.PodSpec").by_name["containers"].required
    assert not message("rbac/v1.Role").by_name["rules"].required


def test_every_kind_that_is_served_has_its_messages() -> None:
    for group in group_versions():
        for found in group.resources:
            assert found.kind.message.by_name
            if "list" in found.verbs:
                listed = kind(group.api_version, found.list_kind)
                assert listed
                assert listed.message.by_name["items"].type == found.kind.message_name
            for sub in found.subresources:
                assert sub.kind.message.by_name.keys()


def test_resources_are_found_by_their_path_and_by_their_kind() -> None:
    deployments = resource("apps", "v1", "deployments")
    assert deployments is not None
    assert deployments is resource_of("apps", "v1", "Deployment")
    assert (deployments.singular, deployments.short_names) == ("deployment", ("deploy",))
    assert (deployments.verbs, deployments.group_resource) == (VERBS, "deployments.apps")
    scale = deployments.subresource("scale")
    assert scale is not None
    assert scale.kind.api_version == "autoscaling/v1"
    assert resource("", "v1", "deployments") is None


def test_options_are_a_kind_of_every_group() -> None:
    for api_version in ("v1", "apps/v1", "meta.k8s.io/v1"):
        found = kind(api_version, "DeleteOptions")
        assert found
        assert found.message_name == "meta/v1.DeleteOptions"
