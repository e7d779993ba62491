"""A snapshot's root as a file descriptor, with nothing attached to any mount table.

The mount lives as long as the descriptors of it, so an abrupt end leaves nothing behind.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jubako.errors import InvalidArgument, NotFound, PermissionDenied, Unavailable
from jubako.linux import mount as kernel
from jubako.spec.oci_runtime import Mount


@contextmanager
def mounted(mounts: Sequence[Mount]) -> Iterator[int]:
    """Lend a directory fd of the root that `mounts` (of a snapshotter) describes; NotFound, PermissionDenied."""
    with ExitStack() as stack:
        root = _mount(_one(mounts))
        stack.callback(os.close, root)
        # A mount fd is O_PATH: it can not be listed.
        directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root)
        stack.callback(os.close, directory)
        yield directory


def detached(mounts: Sequence[Mount], part: str, place: Path) -> int:
    """Return a detached mount of the root that `mounts` describes, or of a `part` of it, which the caller owns.

    `place` is a directory that may be mounted upon for a moment, where nobody sees it. As mounted(); OSError for a part
    that is not there.
    """
    root = _mount(_one(mounts))
    if not part:
        return root
    from jubako.linux import mountns

    try:
        return mountns.part(root, part, str(place))
    finally:
        os.close(root)


def attach(mounts: Sequence[Mount], target: Path) -> None:
    """Mount the root that `mounts` describes at `target` on the host, until somebody unmounts it; as mounted()."""
    root = _mount(_one(mounts))
    try:
        kernel.move_mount(root, str(target))
    except OSError as error:
        raise _explained(error, []) from error
    finally:
        os.close(root)


def _one(mounts: Sequence[Mount]) -> Mount:
    if len(mounts) != 1:
        raise InvalidArgument(f"a root is one mount, not {len(mounts)}")
    return mounts[0]


def _mount(mount: Mount) -> int:
    attributes = kernel.MOUNT_ATTR_RDONLY if "ro" in mount.options else 0
    if mount.type in ("bind", ""):
        return _bind(mount.source, attributes)
    try:
        context = kernel.fsopen(mount.type)
    except OSError as error:
        raise _explained(error, []) from error
    try:
        _configure(context, [option for option in mount.options if option not in ("ro", "rw")])
        return kernel.fsmount(context, attributes)
    except OSError as error:
        raise _explained(error, kernel.messages(context)) from error
    finally:
        os.close(context)


def _configure(context: int, options: list[str]) -> None:
    for option in options:
        key, equals, value = option.partition("=")
        kernel.fsconfig(context, key, value if equals else None)
    kernel.fsconfig_create(context)


def _bind(source: str, attributes: int) -> int:
    try:
        tree = kernel.open_tree(source, kernel.OPEN_TREE_CLONE)
    except OSError as error:
        raise _explained(error, []) from error
    if attributes:
        kernel.mount_setattr(tree, add=attributes)
    return tree


def _explained(error: OSError, log: list[str]) -> Exception:
    what = "; ".join(log) or error.strerror
    if error.errno in (errno.EPERM, errno.EACCES):
        return PermissionDenied(
            f"cannot mount the snapshot: {what}", hint="mounts need root, or jubako.enter_user_namespace()"
        )
    if error.errno == errno.ENOENT:
        return NotFound("layer", error.filename or "", message=f"cannot mount the snapshot: {what}")
    return Unavailable(f"cannot mount the snapshot: {what}", hint="overlayfs with lowerdir+ needs Linux 6.8 or newer")
