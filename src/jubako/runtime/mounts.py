"""The root filesystem and the mounts of a specification, as operations of the first process.

What is bound into a container with a user namespace is opened by the creator: the container's root need not be allowed
to walk to it. So is what has its ids mapped, which is the right of whoever owns the filesystem.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from jubako.errors import InvalidArgument, PermissionDenied
from jubako.linux import mount as mount_calls
from jubako.linux import userns
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime import mount_options
from jubako.runtime import opcodes as op
from jubako.runtime.mount_options import RDONLY, Options
from jubako.runtime.namespaces import in_user_namespace, new_namespaces
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Linux, Mount, Root


class Mounts:
    """Adds the mounts of one container to `plan`. `give` has the executor inherit an fd, which it then owns; `trees`
    are detached mounts by destination, which are given."""

    def __init__(
        self,
        plan: Plan,
        linux: Linux,
        cgroup: CgroupHandle | None,
        give: Callable[[int], int],
        trees: dict[str, int] | None = None,
    ) -> None:
        self._plan, self._linux, self._cgroup, self._give = plan, linux, cgroup, give
        self._trees = {} if trees is None else trees
        self._in_user_namespace = in_user_namespace(linux)
        self._open_here = self._in_user_namespace and os.geteuid() == 0
        self._read_only: list[str] = []

    def add_root(self, root: Root | None, rootfs: list[Mount]) -> None:
        if not rootfs:
            if not root or not root.path:
                raise InvalidArgument("the specification has no root")
            path = os.path.abspath(root.path)
            self._plan.add(op.ROOT_BIND, 1, 0, self._opened(path, recursive=True) if self._open_here else -1, path)
            return
        if len(rootfs) != 1 or rootfs[0].destination not in ("/", ""):
            raise InvalidArgument("a root filesystem is one mount at /")
        options = mount_options.parse(rootfs[0])
        if options.bind:
            self._plan.add(op.ROOT_BIND, int(options.recursive), options.set, -1, rootfs[0].source)
        else:
            self._plan.add(op.ROOT_FILESYSTEM, options.set, rootfs[0].type, *options.data)

    def add(self, mount: Mount) -> None:
        options = mount_options.parse(mount)
        if options.remount:
            self._plan.add(op.ATTRIBUTES, options.set, options.clear, 0, mount.destination)
            return
        self._close(mount.destination)
        if options.bind:
            self._add_bind(mount, options)
        elif options.idmap:
            raise InvalidArgument(f"mount {mount.destination}: only bind mounts can have their ids mapped")
        elif mount.type in ("cgroup", "cgroup2"):
            self._add_cgroups(mount, options)
        else:
            self._add_filesystem(mount, options)

    def finish(self) -> None:
        """Once all is there: what is to be read-only, and had to take mount points, devices and links."""
        self._close("/")

    def _close(self, destination: str) -> None:
        """Nothing more comes into what lies at or beneath `destination`: another mount is about to cover it."""
        for path in [path for path in self._read_only if _is_within(path, destination)]:
            self._plan.add(op.ATTRIBUTES, RDONLY, 0, 0, path)
            self._read_only.remove(path)

    def _add_filesystem(self, mount: Mount, options: Options) -> None:
        if mount.type == "tmpfs" and options.set & RDONLY:
            options.set &= ~RDONLY
            self._read_only.append(mount.destination)
        # The kernel refuses a sysfs whose network namespace is another user namespace's.
        own_network = "network" in new_namespaces(self._linux)
        fall_back = int(mount.type == "sysfs" and (self._in_user_namespace or not own_network))
        self._plan.add(
            op.FILESYSTEM,
            options.set,
            options.propagation,
            fall_back,
            _copies(mount, options),
            mount.type,
            mount.source or mount.type,
            mount.destination,
            *self._data(mount, options),
            *self._label(mount.type),
        )

    def _label(self, kind: str) -> list[str]:
        if not self._linux.mount_label:
            return []
        from jubako.runtime import labels

        return labels.mount_data(kind, self._linux.mount_label)

    def _data(self, mount: Mount, options: Options) -> list[str]:
        if mount.type in ("proc", "sysfs", "mqueue"):
            return [text for text in options.data if "=" in text]
        if mount.type == "devpts" and (self._in_user_namespace or not userns.is_initial()):
            return [text for text in options.data if not text.startswith("gid=") or self._maps_group(text[4:])]
        return options.data

    def _maps_group(self, text: str) -> bool:
        if not self._in_user_namespace:
            return text.isdecimal() and userns.has_group(int(text))
        maps = self._linux.gid_mappings
        return text.isdecimal() and any(m.container_id <= int(text) < m.container_id + m.size for m in maps)

    def _add_bind(self, mount: Mount, options: Options) -> None:
        propagation = options.propagation or mount_options.PRIVATE
        self._plan.add(
            op.BIND,
            int(options.recursive),
            options.set,
            options.clear,
            options.all_set,
            options.all_clear,
            propagation | (mount_options.RECURSIVE if options.propagation_recursive else 0),
            self._tree(mount, options),
            os.path.abspath(mount.source),
            mount.destination,
        )

    def _tree(self, mount: Mount, options: Options) -> int:
        if mount.destination in self._trees:
            return self._give(self._trees.pop(mount.destination))
        if not options.idmap:
            # The new root lies over "/" when this is done, and would be in a copy of all that is mounted there.
            here = self._open_here or (options.recursive and os.path.abspath(mount.source) == "/")
            return self._opened(mount.source, recursive=options.recursive) if here else -1
        from jubako.runtime import idmap

        tree = self._give(_open(mount.source, recursive=options.recursive))
        idmap.apply(tree, mount, options, self._linux)
        return tree

    def _opened(self, path: str, *, recursive: bool) -> int:
        """Root of a user namespace that does not own its mounts leaves it to the first process, which owns its own."""
        try:
            return self._give(_open(path, recursive=recursive))
        except PermissionDenied:
            return -1

    def _bind_own(self, source: str, target: str, options: Options) -> None:
        self._plan.add(op.BIND, 0, options.set, 0, 0, 0, mount_options.PRIVATE, -1, source, target)

    def _add_cgroups(self, mount: Mount, options: Options) -> None:
        """What the container sees are binds of its own groups: on v1 one per hierarchy on a tmpfs, on v2 one."""
        pairs = self._cgroup.mounts() if self._cgroup else []
        if len(pairs) == 1 and not pairs[0][1]:
            self._bind_own(pairs[0][0], mount.destination, options)
            return
        self._plan.add(op.FILESYSTEM, options.set & ~RDONLY, 0, 0, 0, "tmpfs", "tmpfs", mount.destination, "mode=755")
        for source, name in pairs:
            self._bind_own(source, f"{mount.destination}/{name}", options)
        if options.set & RDONLY:
            self._read_only.append(mount.destination)


def propagation(linux: Linux, mounts: list[Mount]) -> int:
    """Flags for "/" before anything is mounted. Where something is to be shared with the host, only "/" itself is made
    private: nothing of the container's own lies on another mount of the host's."""
    wanted = {mount_options.parse(mount).propagation for mount in mounts}
    if is_shared(linux, mounts):
        return mount_options.PRIVATE
    if wanted - {0, mount_options.PRIVATE, mount_options.UNBINDABLE} or "slave" in linux.rootfs_propagation:
        return mount_options.SLAVE | mount_options.RECURSIVE
    return mount_options.PRIVATE | mount_options.RECURSIVE


def is_shared(linux: Linux, mounts: list[Mount]) -> bool:
    wanted = {mount_options.parse(mount).propagation for mount in mounts}
    return mount_options.SHARED in wanted or "shared" in linux.rootfs_propagation


def _copies(mount: Mount, options: Options) -> int:
    if mount.type != "tmpfs":
        if options.copy_up:
            raise InvalidArgument(f"mount {mount.destination}: tmpcopyup is for a tmpfs")
        return 0
    has_mode = any(text.startswith("mode=") for text in options.data)
    return (op.COPY_CONTENT if options.copy_up else 0) | (0 if has_mode else op.COPY_MODE)


def _is_within(path: str, top: str) -> bool:
    """Whether a mount at `top` covers one at `path`, both as a container names them."""
    names, above = (os.path.normpath(f"/{text}").strip("/").split("/") for text in (path, top))
    return above == [""] or names[: len(above)] == above


def _open(path: str, *, recursive: bool) -> int:
    """A detached copy of the mounts from `path` on."""
    flags = mount_calls.OPEN_TREE_CLONE | (mount_calls.AT_RECURSIVE if recursive else 0)
    try:
        return mount_calls.open_tree(path, flags)
    except OSError as error:
        kind = PermissionDenied if error.errno == errno.EPERM else InvalidArgument
        raise kind(f"failed to bind {path}: {os.strerror(error.errno or 0).lower()}") from None
