"""What criu restores a container upon: its root with the places of all mounts, in criu's own mount namespace."""

from __future__ import annotations

import os

from jubako.linux import mount, openat2
from jubako.runtime import mount_options
from jubako.runtime.namespaces import in_user_namespace
from jubako.runtime.oci import criu_options as of
from jubako.spec.oci_runtime import Linux, Mount, Spec

NULL_DEVICE = "criu-null"


def mount_root(spec: Spec, root: str) -> None:
    """criu wants its root to be a mount, and all places of mounts to be there, those inside of binds, too."""
    _bind(spec.root.path if spec.root else "/", _open_path(root))
    top = _open_path(root)
    try:
        made_by_criu = tuple(f"{m.destination.rstrip('/')}/" for m in spec.mounts if m.type not in ("", "bind", "none"))
        for entry in spec.mounts:
            if not entry.destination.startswith(made_by_criu):
                _prepare(top, entry)
        if spec.root and spec.root.readonly:
            mount.mount_setattr(top, add=mount.MOUNT_ATTR_RDONLY)
    finally:
        os.close(top)


def null_device(linux: Linux, directory: str) -> str:
    """What masks a file: the host's own node, read-only, so that its mode and owner stay the host's.

    The root of a user namespace can not change them, nor reach into our directory.
    """
    if in_user_namespace(linux):
        return of.NULL
    path = os.path.join(directory, NULL_DEVICE)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    _bind(of.NULL, _open_path(path), add=mount.MOUNT_ATTR_RDONLY)
    return path


def _open_path(path: str) -> int:
    return os.open(path, os.O_PATH | os.O_CLOEXEC)


def _prepare(top: int, entry: Mount) -> None:
    if not mount_options.parse(entry).bind:
        os.close(openat2.mkdirs_in_root(top, entry.destination))
        return
    if os.path.isdir(entry.source):
        _bind(entry.source, openat2.mkdirs_in_root(top, entry.destination))
        return
    parent, _, name = entry.destination.rstrip("/").rpartition("/")
    directory = openat2.mkdirs_in_root(top, parent or "/")
    try:
        flags = os.O_CREAT | os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        os.close(openat2.open_in_root(directory, name, flags, 0o644))
        _bind(entry.source, openat2.open_in_root(top, entry.destination, os.O_PATH))
    finally:
        os.close(directory)


def _bind(source: str, at: int, *, add: int = 0) -> None:
    """All mounts from `source` on; `at` is closed."""
    try:
        tree = mount.open_tree(source, mount.OPEN_TREE_CLONE | mount.AT_RECURSIVE)
        try:
            mount.mount_setattr(tree, add=add)
            mount.move_mount(tree, "", dir_fd=at)
        finally:
            os.close(tree)
    finally:
        os.close(at)
