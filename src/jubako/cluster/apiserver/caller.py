"""Who asks, and how."""

from __future__ import annotations

import msgspec

from jubako.cluster.apiserver.attributes import Attributes

MASTERS = "system:masters"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ANONYMOUS = "system:anonymous"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user as authentication found it: `groups` are all that count for authorization."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, tuple[str, ...]] = {}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a verb. `dry_run`: everything is done but the write. `manager` is whom managedFields name."""

    attributes: Attributes
    user: User
    dry_run: bool = False
    manager: str = "unknown"

    def of_whole(self) -> Request:
        """The same, asked of the object itself instead of a subresource."""
        return msgspec.structs.replace(self, attributes=msgspec.structs.replace(self.attributes, subresource=None))
