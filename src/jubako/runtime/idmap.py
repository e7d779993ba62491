"""Mounts that show other owners: mount_setattr(2), MOUNT_ATTR_IDMAP.

Spec: OCI runtime-spec, config.md "POSIX-platform Mounts", uidMappings and gidMappings; the options idmap and ridmap.
"""

from __future__ import annotations

import os

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux import mount as mounts
from jubako.linux import userns
from jubako.runtime import program
from jubako.runtime.mount_options import Options
from jubako.spec.oci_runtime import IDMapping, Linux, Mount


def apply(tree: int, mount: Mount, options: Options, linux: Linux) -> None:
    """Map the ids of the detached mount `tree`: by its own mappings, else by those of the container or of the user
    namespace that it joins."""
    namespace = _namespace(mount, linux)
    try:
        mounts.mount_setattr(tree, add=mounts.MOUNT_ATTR_IDMAP, recursive=options.idmap_recursive, userns_fd=namespace)
    except OSError as error:
        raise FailedPrecondition(f"failed to map the ids of {mount.source}: {os.strerror(error.errno or 0)}") from None
    finally:
        os.close(namespace)


def _namespace(mount: Mount, linux: Linux) -> int:
    uids, gids = mount.uid_mappings, mount.gid_mappings
    if bool(uids) != bool(gids):
        raise InvalidArgument(f"mount {mount.destination}: uidMappings and gidMappings belong together")
    joined = next((space.path for space in linux.namespaces if space.type == "user" and space.path), "")
    if not uids and joined:
        return os.open(joined, os.O_RDONLY | os.O_CLOEXEC)
    if not uids:
        uids, gids = linux.uid_mappings, linux.gid_mappings
    if not uids or not gids:
        raise InvalidArgument(f"mount {mount.destination}: idmap needs mappings, of the mount or of the container")
    return user_namespace(uids, gids)


def user_namespace(uids: list[IDMapping], gids: list[IDMapping]) -> int:
    """An fd of a new user namespace with these maps, in which nobody is; the caller closes it."""
    with program.user_namespace_holder() as pid:
        map_new(pid, uids, gids)
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)


def map_new(pid: int, uids: list[IDMapping], gids: list[IDMapping]) -> None:
    """Map the ids of the new user namespace that `pid` is in. Raises FailedPrecondition."""
    try:
        userns.map_ids(pid, uids, gids)
    except OSError as error:
        raise FailedPrecondition(f"cannot map user and group ids: {error.strerror}") from None
