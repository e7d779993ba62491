"""Root filesystem, mounts, devices and masked paths of a specification, as operations of the first process."""

from __future__ import annotations

import os
import stat

from jubako.errors import InvalidArgument
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime import defaults, labels, mount_options, sysctl
from jubako.runtime import opcodes as op
from jubako.runtime.mount_options import RDONLY, Options
from jubako.runtime.namespaces import new_namespaces
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Box, Device, Linux, Mount, Process, Spec

_DEVICE_TYPES = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}
_CLONE_NEWCGROUP = 0x02000000


def add_filesystem(
    plan: Plan, spec: Spec, rootfs: list[Mount], cgroup: CgroupHandle | None, *, console_socket: int = -1
) -> None:
    """Everything from the private mount namespace to the pivot. A terminal's master goes to `console_socket`, or to
    the monitor when that is -1."""
    linux = spec.linux or Linux()
    made = new_namespaces(linux)
    in_user_namespace = any(namespace.type == "user" for namespace in linux.namespaces)
    shared = any(mount_options.parse(m).propagation not in (0, mount_options.PRIVATE) for m in spec.mounts)
    kind = mount_options.SLAVE if shared or "slave" in linux.rootfs_propagation else mount_options.PRIVATE
    plan.add(op.PROPAGATION, kind | mount_options.RECURSIVE)
    if "cgroup" in made:
        plan.add(op.UNSHARE, _CLONE_NEWCGROUP)
    _add_root(plan, spec, rootfs)
    for mount in spec.mounts:
        label = labels.mount_data(mount.type, linux.mount_label)
        _add_mount(plan, mount, cgroup, label, in_user_namespace=in_user_namespace, own_network="network" in made)
    _add_devices(plan, spec, linux.devices, bind=in_user_namespace)
    _add_console(plan, spec, console_socket)
    _add_sysctls(plan, spec, linux)
    for path in linux.readonly_paths:
        plan.add(op.READONLY, path)
    for path in linux.masked_paths:
        plan.add(op.MASK, path)
    plan.add(op.PIVOT)
    if spec.root and spec.root.readonly:
        plan.add(op.ROOT_READONLY)


def _add_root(plan: Plan, spec: Spec, rootfs: list[Mount]) -> None:
    if not rootfs:
        if not spec.root or not spec.root.path:
            raise InvalidArgument("the specification has no root")
        plan.add(op.ROOT_BIND, 1, 0, os.path.abspath(spec.root.path))
        return
    if len(rootfs) != 1 or rootfs[0].destination not in ("/", ""):
        raise InvalidArgument("a root filesystem is one mount at /")
    root = rootfs[0]
    options = mount_options.parse(root)
    if options.bind:
        plan.add(op.ROOT_BIND, int(options.recursive), options.set, root.source)
    else:
        plan.add(op.ROOT_FILESYSTEM, options.set, root.type, *options.data)


def _add_mount(
    plan: Plan,
    mount: Mount,
    cgroup: CgroupHandle | None,
    label: list[str],
    *,
    in_user_namespace: bool,
    own_network: bool,
) -> None:
    if mount.uid_mappings or mount.gid_mappings:
        raise InvalidArgument(f"mount {mount.destination}: id mappings of mounts are not supported yet")
    options = mount_options.parse(mount)
    if options.bind:
        _add_bind(plan, mount, options)
    elif mount.type in ("cgroup", "cgroup2"):
        _add_cgroups(plan, mount, options, cgroup)
    else:
        data = _data(mount, options, in_user_namespace=in_user_namespace)
        # The kernel refuses a sysfs whose network namespace is another user namespace's.
        fall_back = int(mount.type == "sysfs" and (in_user_namespace or not own_network))
        plan.add(
            op.FILESYSTEM, options.set, options.propagation, fall_back, mount.type, mount.destination, *data, *label
        )


def _data(mount: Mount, options: Options, *, in_user_namespace: bool) -> list[str]:
    data = [text for text in options.data if text not in ("newinstance", "tmpcopyup")]
    if mount.type in ("proc", "sysfs", "mqueue"):
        data = [text for text in data if "=" in text]
    elif mount.type == "devpts" and in_user_namespace:
        data = [text for text in data if not text.startswith("gid=")]
    if mount.source and mount.source != mount.type:
        data.append(f"source={mount.source}")
    return data


def _add_bind(plan: Plan, mount: Mount, options: Options) -> None:
    plan.add(
        op.BIND,
        int(options.recursive),
        options.set,
        options.clear,
        options.all_set,
        options.all_clear,
        options.propagation or mount_options.PRIVATE,
        os.path.abspath(mount.source),
        mount.destination,
    )


def _add_cgroups(plan: Plan, mount: Mount, options: Options, cgroup: CgroupHandle | None) -> None:
    """What the container sees are binds of its own groups: on v1 one per hierarchy on a tmpfs, on v2 a single one."""
    pairs = cgroup.mounts() if cgroup else []
    if len(pairs) == 1 and not pairs[0][1]:
        plan.add(op.BIND, 0, options.set, 0, 0, 0, mount_options.PRIVATE, pairs[0][0], mount.destination)
        return
    plan.add(op.FILESYSTEM, options.set & ~RDONLY, 0, 0, "tmpfs", mount.destination, "mode=755")
    for source, name in pairs:
        target = f"{mount.destination}/{name}"
        plan.add(op.BIND, 0, options.set, 0, 0, 0, mount_options.PRIVATE, source, target)
    if options.set & RDONLY:
        plan.add(op.ATTRIBUTES, RDONLY, 0, 0, mount.destination)


def _add_devices(plan: Plan, spec: Spec, extra: list[Device], *, bind: bool) -> None:
    if not any(mount.destination == "/dev" for mount in spec.mounts):
        return
    given = {device.path for device in extra}
    for name, major, minor in defaults.DEVICES:
        if f"/dev/{name}" not in given:
            _add_device(plan, Device(type="c", path=f"/dev/{name}", major=major, minor=minor), bind=bind)
    for device in extra:
        if device.path != "/dev/ptmx":  # the container's own devpts has it, and the link leads there
            _add_device(plan, device, bind=bind)
    for name, target in defaults.DEVICE_LINKS:
        plan.add(op.SYMLINK, target, f"/dev/{name}")


def _add_device(plan: Plan, device: Device, *, bind: bool) -> None:
    if device.type not in _DEVICE_TYPES:
        raise InvalidArgument(f"device {device.path}: unknown type {device.type!r}")
    kind = _DEVICE_TYPES[device.type]
    if bind and kind != stat.S_IFIFO:
        plan.add(op.BIND_DEVICE, kind, device.major, device.minor, device.path, device.path)
        return
    mode = 0o666 if device.file_mode is None else device.file_mode & 0o7777
    plan.add(op.MKNOD, kind | mode, device.major, device.minor, device.uid or 0, device.gid or 0, device.path)


def _add_console(plan: Plan, spec: Spec, console_socket: int) -> None:
    if spec.process and spec.process.terminal:
        add_console(plan, spec.process, console_socket)


def add_console(plan: Plan, process: Process, console_socket: int) -> None:
    """A terminal from the container's own devpts."""
    size = process.console_size or Box()
    plan.add(op.CONSOLE, console_socket, size.height, size.width, "/dev/pts")


def _add_sysctls(plan: Plan, spec: Spec, linux: Linux) -> None:
    """Before /proc/sys is covered. A private procfs serves where the container mounts none."""
    if not any(mount.type == "proc" for mount in spec.mounts):
        plan.add(op.PROC)
    for name, value in linux.sysctl.items():
        plan.add(op.SYSCTL, sysctl.path(name, new_namespaces(linux)), value)
