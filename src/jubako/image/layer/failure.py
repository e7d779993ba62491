"""What a failing system call means while a tree is read or written."""

from __future__ import annotations

import errno

from jubako.errors import DataLoss, InvalidArgument, JubakoError, NotFound, PermissionDenied, ResourceExhausted
from jubako.image.layer.tree import show
from jubako.linux import userns

_KINDS: dict[int, tuple[type[JubakoError], str | None]] = {
    errno.ENOSPC: (ResourceExhausted, "free some space: `jubako system prune` removes what nothing uses"),
    errno.EDQUOT: (ResourceExhausted, "the disk quota is used up"),
    errno.EFBIG: (ResourceExhausted, None),
    errno.EMFILE: (ResourceExhausted, "raise the limit of open files (ulimit -n)"),
    errno.EACCES: (PermissionDenied, None),
    errno.EPERM: (PermissionDenied, None),
    errno.EROFS: (PermissionDenied, None),
    errno.EIO: (DataLoss, "the disk reports an error: see the kernel log"),
}

# chown(2) of an id that the namespace does not map.
_UNMAPPED = "its owner may be none of the ids that this user has: install uidmap, and see /etc/subuid and /etc/subgid"


def meaning(error: OSError, action: str, name: bytes) -> JubakoError:
    """The kind that `error` is, for a person: "cannot extract 'usr/bin/x': No space left on device"."""
    message = f"cannot {action} {show(name)}: {error.strerror or error}"
    if error.errno == errno.ENOENT:
        return NotFound("file", show(name), message=message)
    kind, hint = _KINDS.get(error.errno or 0, (InvalidArgument, None))
    if error.errno == errno.EINVAL and not userns.is_initial():
        hint = _UNMAPPED
    return kind(message, hint=hint)
