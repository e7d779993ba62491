"""What a strategic merge patch must know of a kind."""

from __future__ import annotations

from typing import Protocol

from jubako.cluster.types.schema import Field, Message

Path = tuple[str, ...]
"""Names of fields from the object down. The elements of a list have the path of the list."""


class PatchSchema(Protocol):
    def merge_key(self, path: Path) -> str | None:
        """Return which field tells the elements of a list apart, "" where they are scalars that do so themselves, or
        None for a list that is replaced."""

    def replaces(self, path: Path) -> bool:
        """Whether an object is replaced instead of merged."""

    def retains(self, path: Path) -> bool:
        """Whether a patch of an object says which members stay: one of several kinds of thing is chosen in it."""


class MessageSchema:
    """The schema of a kind in the table of facts."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def merge_key(self, path: Path) -> str | None:
        field = self._field(path)
        return field.merge_key if field and "merge" in field.patch else None

    def replaces(self, path: Path) -> bool:
        field = self._field(path)
        return field is not None and "replace" in field.patch

    def retains(self, path: Path) -> bool:
        field = self._field(path)
        return field is not None and "retainKeys" in field.patch

    def _field(self, path: Path) -> Field | None:
        """The field at the end of the path; none for a member of a map, and where the table knows nothing."""
        message: Message | None = self._message
        field: Field | None = None
        for name in path:
            if field and field.shape == "map":
                field = None
                continue
            field = message.by_name.get(name) if message else None
            message = field.message if field else None
        return field
