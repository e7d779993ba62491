"""The one root of errors.

Ten kinds, each a class; the facts are attributes and the message is made from them. Layers raise kinds; each front
door (the command line, an API server) owns one table from kind to its own status.
"""

from __future__ import annotations


class JubakoError(Exception):
    """Root of all errors that a caller may handle; `hint` says what to try, when there is something to try."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidArgument(JubakoError):
    """The request itself is wrong and will be wrong again: bad syntax, a value out of range, a malformed document."""


class NotFound(JubakoError):
    """`what` (image, container, blob …) called `name` does not exist."""

    def __init__(self, what: str, name: str, *, message: str | None = None, hint: str | None = None) -> None:
        super().__init__(message or f"No such {what}: {name}", hint=hint)
        self.what = what
        self.name = name


class AlreadyExists(JubakoError):
    """`what` called `name` exists; `holder` names who has it, when known."""

    def __init__(
        self, what: str, name: str, *, holder: str | None = None, message: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message or f"{what} already exists: {name}", hint=hint)
        self.what = what
        self.name = name
        self.holder = holder


class Conflict(JubakoError):
    """Somebody else's change or use is in the way (an image in use, a stale version)."""


class FailedPrecondition(JubakoError):
    """The thing is not in the state that the request needs (start of a running container)."""


class PermissionDenied(JubakoError):
    """The caller, or this process on this host, may not do that."""


class Unauthenticated(JubakoError):
    """Credentials are missing or wrong."""


class ResourceExhausted(JubakoError):
    """Out of disk, memory, addresses, or over a cap that we set ourselves."""


class Unavailable(JubakoError):
    """A peer or a part of the host does not answer or is absent; trying again later may help."""


class DataLoss(JubakoError):
    """Bytes are not what they must be: a digest or size mismatch, a truncated archive, a broken record."""
