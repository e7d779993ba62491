"""What a served kind is: names, scope, verbs and subresources."""

from __future__ import annotations

import msgspec

from jubako.cluster.types.schema import Message, message

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


def api_version(group: str, version: str) -> str:
    """What documents name both as; "" is core."""
    return f"{group}/{version}" if group else version


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind by its group ("" is core), version and name, and the full name of its message."""

    group: str
    version: str
    name: str
    message_name: str

    @property
    def api_version(self) -> str:
        return api_version(self.group, self.version)

    @property
    def message(self) -> Message:
        return message(self.message_name)


class Subresource(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: Kind
    verbs: tuple[str, ...]


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A kind as it is served. `singular` is the kind in lower case; `list_kind` is what a list of it is."""

    plural: str
    kind: Kind
    namespaced: bool
    verbs: tuple[str, ...] = VERBS
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: tuple[Subresource, ...] = ()

    @property
    def singular(self) -> str:
        return self.kind.name.lower()

    @property
    def list_kind(self) -> str:
        return self.kind.name + "List"

    @property
    def group_resource(self) -> str:
        """The name in messages: deployments.apps."""
        return f"{self.plural}.{self.kind.group}" if self.kind.group else self.plural

    def subresource(self, name: str) -> Subresource | None:
        return next((found for found in self.subresources if found.name == name), None)


class GroupVersion(msgspec.Struct, frozen=True, kw_only=True):
    group: str
    version: str
    package: str
    resources: tuple[Resource, ...]

    @property
    def api_version(self) -> str:
        return api_version(self.group, self.version)
