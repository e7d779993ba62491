"""Who asks, and how."""

from __future__ import annotations

import msgspec

from jubako.cluster.apiserver.attributes import Attributes
from jubako.cluster.fields import Operation

MASTERS = "system:masters"
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"
ANONYMOUS = "system:anonymous"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user as authentication found it: `groups` are all that count for authorization."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: dict[str, tuple[str, ...]] = {}


class Notes:
    """What is told beside the answer to a request: warnings, each once, to the client; annotations to the audit log."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.annotations: dict[str, str] = {}

    def warn(self, *warnings: str) -> None:
        self.warnings.extend(each for each in warnings if each not in self.warnings)


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a verb. `dry_run`: everything is done but the write. `manager` is whom managedFields name, with the
    `operation` and the `part` of the object, a subresource, through which it is written. All that is made of
    one request shares its `notes`."""

    attributes: Attributes
    user: User
    dry_run: bool = False
    manager: str = "unknown"
    operation: Operation = "Update"
    through: str = ""
    notes: Notes = msgspec.field(default_factory=Notes)

    @property
    def part(self) -> str:
        return self.through or (self.attributes.subresource.name if self.attributes.subresource else "")

    def of_whole(self) -> Request:
        """The same, asked of the object itself instead of a subresource."""
        whole = msgspec.structs.replace(self.attributes, subresource=None)
        return msgspec.structs.replace(self, attributes=whole, through=self.part)
