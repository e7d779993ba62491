"""What a server serves: types by each of their names.

Model: two requests with the aggregated form; a server that knows only the old form is asked for each group's list.
Spec:  "Aggregated Discovery" in the API concepts, apidiscovery.k8s.io/v2 and v2beta1; kubectl's rules of names (plural,
       singular, short, then .GROUP or .VERSION.GROUP).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from jubako.cluster.client.connection import JSON_TYPE, Connection
from jubako.cluster.client.failure import Refused
from jubako.cluster.types.document import Object, array, at, mapping, objects, text
from jubako.cluster.types.served import api_version
from jubako.errors import NotFound

_AGGREGATED = ",".join(
    f"{JSON_TYPE};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """A kind as a server serves it."""

    group: str
    version: str
    plural: str
    singular: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...]
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return api_version(self.group, self.version)

    @property
    def group_resource(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def full_name(self) -> str:
        """The name as it stands before a slash: deployment.apps."""
        return f"{self.singular}.{self.group}" if self.group else self.singular

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        below = "".join(f"/{part}" for part in (name, subresource) if part)
        return f"{root}{within}/{self.plural}{below}"


class Discovery:
    """The types of one server, asked for when first needed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def types(self) -> tuple[Type, ...]:
        """All types, a group's preferred version first."""
        core = self._connection.get("/api", accept=f"{_AGGREGATED},{JSON_TYPE}")
        if core.get("kind") != "APIGroupDiscoveryList":
            return tuple(self._old())
        groups = self._connection.get("/apis", accept=f"{_AGGREGATED},{JSON_TYPE}")
        found = [*objects(core.get("items")), *objects(groups.get("items"))]
        return tuple(each for group in found for each in _aggregated(group))

    def named(self, spelled: str) -> Type:
        """Return the type that a person's word means. Raises NotFound."""
        name, _, suffix = spelled.lower().partition(".")
        found = [each for each in self.types if _is_called(each, name) and _in_group(each, suffix)]
        # The plural is meant before a short name of another; exact groups before what only begins so.
        found.sort(key=lambda each: (bool(suffix) and suffix != each.group, name not in (each.plural, each.singular)))
        if not found:
            raise NotFound("type", spelled, message=f'the server doesn\'t have a resource type "{spelled}"')
        return found[0]

    def category(self, name: str) -> list[Type]:
        """Return the types of a category, each in the version that is preferred."""
        found: dict[str, Type] = {}
        for each in self.types:
            if name in each.categories and "list" in each.verbs:
                found.setdefault(each.group_resource, each)
        return [*found.values()]

    def of(self, document: Object) -> Type | None:
        """Return the type of an object by its apiVersion and kind."""
        api_version, kind = text(document.get("apiVersion")), text(document.get("kind"))
        return next((each for each in self.types if (each.api_version, each.kind) == (api_version, kind)), None)

    def _old(self) -> Iterator[Type]:
        versions = [text(each) for each in array(self._connection.get("/api").get("versions"))]
        for group in objects(self._connection.get("/apis").get("groups")):
            preferred = text(at(group, "preferredVersion", "groupVersion"))
            others = [text(each.get("groupVersion")) for each in objects(group.get("versions"))]
            versions += [preferred, *(each for each in others if each != preferred)]
        for version in versions:
            path = f"/apis/{version}" if "/" in version else f"/api/{version}"
            try:
                listed = self._connection.get(path)
            except Refused:  # an API whose own server is away says nothing of the others
                continue
            yield from _listed(version, listed)


def _is_called(each: Type, name: str) -> bool:
    return name in (each.plural, each.singular) or name in each.short_names


def _in_group(each: Type, suffix: str) -> bool:
    versioned = f"{each.version}.{each.group}".rstrip(".")
    return not suffix or each.group.startswith(suffix) or versioned == suffix


def _aggregated(group: Object) -> Iterator[Type]:
    name = text(at(group, "metadata", "name"))
    for version in objects(group.get("versions")):
        for each in objects(version.get("resources")):
            plural, kind = text(each.get("resource")), text(at(each, "responseKind", "kind"))
            yield Type(
                group=text(at(each, "responseKind", "group")) or name,
                version=text(version.get("version")),
                plural=plural,
                singular=text(each.get("singularResource")) or kind.lower(),
                kind=kind,
                namespaced=each.get("scope") == "Namespaced",
                verbs=_texts(each, "verbs"),
                short_names=_texts(each, "shortNames"),
                categories=_texts(each, "categories"),
                subresources=tuple(text(sub.get("subresource")) for sub in objects(each.get("subresources"))),
            )


def _listed(version: str, listed: Object) -> Iterator[Type]:
    resources = objects(listed.get("resources"))
    names = [text(each.get("name")) for each in resources]
    group, _, number = version.rpartition("/")
    for each, plural in zip(resources, names, strict=True):
        if "/" not in plural:
            below = [name.partition("/")[2] for name in names if name.startswith(f"{plural}/")]
            yield Type(
                group=group,
                version=number,
                plural=plural,
                singular=text(each.get("singularName")) or text(each.get("kind")).lower(),
                kind=text(each.get("kind")),
                namespaced=each.get("namespaced") is True,
                verbs=_texts(each, "verbs"),
                short_names=_texts(each, "shortNames"),
                categories=_texts(each, "categories"),
                subresources=tuple(below),
            )


def _texts(document: Object, name: str) -> tuple[str, ...]:
    return tuple(text(item) for item in array(mapping(document).get(name)))
