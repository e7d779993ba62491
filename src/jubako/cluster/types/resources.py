"""The kinds that are served: under which group and version, by which names, with which verbs and subresources.

facts/resources.txt has them, one line each: `GROUP VERSION PACKAGE` at the margin ("-" is the core group), then
`PLURAL KIND [ns] [short=A,B] [categories=A] [verbs=A,B]`, and deeper `SUBRESOURCE KIND VERBS`, KIND with its package
when that is another one. A new built-in kind is a line there, where its package is among the facts. `older` behind a
version: the same kinds as in the version before, for clients that know no newer; whoever serves it converts
(conversion).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from jubako.cluster.types import factfile
from jubako.cluster.types.schema import message
from jubako.cluster.types.served import VERBS, GroupVersion, Kind, Resource, Subresource

# Kinds of requests and answers, which every group and version has.
OPTIONS = frozenset(("CreateOptions", "DeleteOptions", "GetOptions", "ListOptions", "PatchOptions", "UpdateOptions"))
_META = frozenset(
    (
        *("APIGroup", "APIGroupList", "APIResourceList", "APIVersions"),
        *("PartialObjectMetadata", "Status", "Table", "WatchEvent"),
    )
)


@lru_cache(maxsize=2)
def group_versions(*, older: bool = False) -> tuple[GroupVersion, ...]:
    """Return what is served, in the order of the table, core first; with the `older` versions too, each behind its
    newer."""
    marked = {(row[0].strip("-"), row[1]) for indent, row in _rows() if indent == 0 and row[3:] == ["older"]}
    return tuple(found for found in _all_versions() if older or (found.group, found.version) not in marked)


def _all_versions() -> list[GroupVersion]:
    found: list[GroupVersion] = []
    packages = {row[2]: (row[0].strip("-"), row[1]) for indent, row in reversed(_rows()) if indent == 0}
    for indent, row in _rows():
        if indent == 0:
            found.append(GroupVersion(group=row[0].strip("-"), version=row[1], package=row[2], resources=()))
        elif indent == 1:
            found[-1] = _with(found[-1], _resource(found[-1], row))
        else:
            group = found[-1]
            last = group.resources[-1]
            more = (*last.subresources, _subresource(group.package, packages, row))
            whole = msgspec.structs.replace(last, subresources=more)
            found[-1] = msgspec.structs.replace(group, resources=(*group.resources[:-1], whole))
    return found


def _rows() -> list[tuple[int, list[str]]]:
    lines = factfile.read("resources").splitlines()
    return [(len(line) - len(line.lstrip()), line.split()) for line in lines if line.strip()]


def _with(group: GroupVersion, resource: Resource) -> GroupVersion:
    return msgspec.structs.replace(group, resources=(*group.resources, resource))


def _resource(group: GroupVersion, row: list[str]) -> Resource:
    options = {name: tuple(value.split(",")) for name, _, value in (word.partition("=") for word in row[2:])}
    return Resource(
        plural=row[0],
        kind=Kind(group=group.group, version=group.version, name=row[1], message_name=f"{group.package}.{row[1]}"),
        namespaced="ns" in options,
        verbs=options.get("verbs", VERBS),
        short_names=options.get("short", ()),
        categories=options.get("categories", ()),
    )


def _subresource(package: str, packages: dict[str, tuple[str, str]], row: list[str]) -> Subresource:
    of_package, _, name = row[1].rpartition(".")
    of_package = of_package or package
    group, version = packages.get(of_package) or (of_package.split("/")[0], of_package.split("/")[1])
    kind = Kind(group=group, version=version, name=name, message_name=f"{of_package}.{name}")
    return Subresource(name=row[0], kind=kind, verbs=tuple(row[2].split(",")))


@lru_cache(maxsize=1)
def _by_plural() -> dict[tuple[str, str, str], Resource]:
    return {(gv.group, gv.version, found.plural): found for gv in group_versions(older=True) for found in gv.resources}


@lru_cache(maxsize=1)
def _by_kind() -> dict[tuple[str, str, str], Resource]:
    return {
        (gv.group, gv.version, found.kind.name): found for gv in group_versions(older=True) for found in gv.resources
    }


def resource(group: str, version: str, plural: str) -> Resource | None:
    """Return a resource as its path names it."""
    return _by_plural().get((group, version, plural))


def core(plural: str) -> Resource:
    """Return a resource of the core group, which there is."""
    return _by_plural()["", "v1", plural]


def resource_of(group: str, version: str, kind: str) -> Resource | None:
    return _by_kind().get((group, version, kind))


def kind(api_version: str, name: str) -> Kind | None:
    """Return any kind that a body may be of: of a resource, a subresource, a list, options, or of the API itself."""
    group, _, version = api_version.rpartition("/")
    if name in OPTIONS or (name in _META and api_version in ("v1", "meta.k8s.io/v1")):
        return Kind(group=group, version=version, name=name, message_name=f"meta/v1.{name}")
    for served in group_versions(older=True):
        if (served.group, served.version) == (group, version) and _is_kind(f"{served.package}.{name}"):
            return Kind(group=group, version=version, name=name, message_name=f"{served.package}.{name}")
    return _subresource_kinds().get((group, version, name))


def _is_kind(name: str) -> bool:
    """Tell whether a message is an object of its own: it says which kind it is."""
    try:
        return any(field.type == "meta/v1.TypeMeta" for field in message(name).fields)
    except KeyError:
        return False


@lru_cache(maxsize=1)
def _subresource_kinds() -> dict[tuple[str, str, str], Kind]:
    served = [found for group in group_versions() for found in group.resources]
    kinds = [sub.kind for found in served for sub in found.subresources]
    return {(found.group, found.version, found.name): found for found in kinds}


@lru_cache(maxsize=256)
def preferred(of: Kind) -> Kind:
    """Return the kind as the first version has it in which it is served."""
    served = (found.kind for group in group_versions() for found in group.resources)
    return next((found for found in served if found.message_name == of.message_name), of)
