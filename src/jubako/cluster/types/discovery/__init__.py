"""Discovery: the documents that tell a client which groups, versions and resources there are.

Every function takes what is served (`resources.group_versions()`, and later what CustomResourceDefinitions add).

Spec: "The Kubernetes API", Discovery API; k8s.io/api/apidiscovery/v2.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence

from jubako.cluster.types.document import JSON, Object
from jubako.cluster.types.served import GroupVersion, Kind, Resource, Subresource

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def api_versions(address: str) -> Object:
    """Return what /api answers; `address` is host:port by which this server is reached."""
    cidrs: list[JSON] = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": cidrs}


def api_group_list(served: Iterable[GroupVersion]) -> Object:
    """Return what /apis answers."""
    groups: dict[str, list[GroupVersion]] = {}
    for found in served:
        groups.setdefault(found.group, []).append(found)
    items: list[JSON] = [_group(name, versions) for name, versions in groups.items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": items}


def api_group(name: str, served: Iterable[GroupVersion]) -> Object | None:
    """Return what /apis/NAME answers; None if there is no such group."""
    versions = [found for found in served if found.group == name]
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if name and versions else None


def api_resource_list(group: GroupVersion) -> Object:
    """Return what /api/v1 and /apis/GROUP/VERSION answer."""
    rows: list[JSON] = []
    for found in group.resources:
        rows.append(_resource(group, found))
        rows.extend(_subresource(group, found, sub) for sub in found.subresources)
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group.api_version, "resources": rows}


def aggregated(served: Iterable[GroupVersion]) -> Object:
    """Return the APIGroupDiscoveryList of /api (given core alone) or /apis (given all others)."""
    groups: dict[str, list[GroupVersion]] = {}
    for found in served:
        groups.setdefault(found.group, []).append(found)
    items: list[JSON] = []
    for name, versions in groups.items():
        metadata: Object = {"name": name} if name else {}
        described: list[JSON] = [_version(found) for found in versions]
        items.append({"metadata": {**metadata, "creationTimestamp": None}, "versions": described})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _group(name: str, versions: Sequence[GroupVersion]) -> Object:
    described: list[JSON] = [{"groupVersion": found.api_version, "version": found.version} for found in versions]
    return {"name": name, "versions": described, "preferredVersion": described[0]}


def _resource(group: GroupVersion, resource: Resource) -> Object:
    row: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind.name,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if "list" in resource.verbs:
        row["storageVersionHash"] = _storage_hash(resource.kind)
    return row


def _subresource(group: GroupVersion, resource: Resource, sub: Subresource) -> Object:
    row: Object = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": sub.kind.name,
        "verbs": list(sub.verbs),
    }
    if (sub.kind.group, sub.kind.version) != (group.group, group.version):
        row |= {"group": sub.kind.group, "version": sub.kind.version}
    return row


def _storage_hash(kind: Kind) -> str:
    digest = hashlib.sha256(f"{kind.group}/{kind.version}/{kind.name}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _version(group: GroupVersion) -> Object:
    return {
        "version": group.version,
        "resources": [_described(found) for found in group.resources],
        "freshness": "Current",
    }


def _described(resource: Resource) -> Object:
    row: Object = {
        "resource": resource.plural,
        "responseKind": _kind(resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        row["shortNames"] = list(resource.short_names)
    if resource.categories:
        row["categories"] = list(resource.categories)
    if resource.subresources:
        row["subresources"] = [
            {"subresource": sub.name, "responseKind": _kind(sub.kind), "verbs": list(sub.verbs)}
            for sub in resource.subresources
        ]
    return row


def _kind(kind: Kind) -> Object:
    return {"group": kind.group, "version": kind.version, "kind": kind.name}
