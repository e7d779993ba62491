"""Discovery tells of everything that is served, in both forms the same."""

from __future__ import annotations

from typing import Any

from jubako.cluster.types import discovery
from jubako.cluster.types.resources import group_versions

SERVED = group_versions(older=True)


def test_api_and_apis_name_the_groups() -> None:
    assert discovery.api_versions("127.0.0.1:6443") == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:6443"}],
    }
    groups: Any = discovery.api_group_list(SERVED)["groups"]
    assert {group["name"] for group in groups} == {found.group for found in SERVED} - {""}
    assert discovery.api_group("apps", SERVED) == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": "apps",
        "versions": [{"groupVersion": "apps/v1", "version": "v1"}],
        "preferredVersion": {"groupVersion": "apps/v1", "version": "v1"},
    }
    assert discovery.api_group("none", SERVED) is None


def test_a_resource_list_has_resources_and_subresources() -> None:
    apps = next(found for found in SERVED if found.group == "apps")
    listed: Any = discovery.api_resource_list(apps)
    rows = {row["name"]: row for row in listed["resources"]}
    assert listed["groupVersion"] == "apps/v1"
    assert rows["deployments"]["shortNames"] == ["deploy"]
    assert rows["deployments"]["verbs"] == [
        *("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"),
    ]
    scale = rows["deployments/scale"]
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")
    assert "group" not in rows["deployments/status"]


def test_older_versions_are_served_to_those_who_ask_for_them() -> None:
    assert {found.api_version for found in {*SERVED} - {*group_versions()}} == {
        "batch/v1beta1", "discovery.k8s.io/v1beta1", "events.k8s.io/v1beta1", "policy/v1beta1",
    }  # fmt: skip


def test_a_group_prefers_its_first_version() -> None:
    batch: Any = discovery.api_group("batch", SERVED)
    assert [version["version"] for version in batch["versions"]] == ["v1", "v1beta1"]
    assert batch["preferredVersion"]["version"] == "v1"


def test_the_aggregated_form_says_the_same() -> None:
    found: Any = discovery.aggregated(SERVED[1:])
    versions = {
        (item["metadata"]["name"], each["version"]): each for item in found["items"] for each in item["versions"]
    }
    assert versions.keys() == {(group.group, group.version) for group in SERVED[1:]}
    for group in SERVED[1:]:
        version = versions[group.group, group.version]
        listed: Any = discovery.api_resource_list(group)
        names = [row["resource"] for row in version["resources"]]
        subs = [
            f"{row['resource']}/{sub['subresource']}"
            for row in version["resources"]
            for sub in row.get("subresources", ())
        ]
        assert sorted([*names, *subs]) == sorted(row["name"] for row in listed["resources"])
        assert version["freshness"] == "Current"
