"""All that is mounted, made and hidden in a container's root, in order, as operations of the first process."""

from __future__ import annotations

from collections.abc import Callable

from jubako.errors import InvalidArgument
from jubako.linux import userns
from jubako.runtime import hook_plan, mount_options, mounts
from jubako.runtime import opcodes as op
from jubako.runtime.devices import add_console, add_devices
from jubako.runtime.launch import Launch
from jubako.runtime.namespaces import FLAGS, add_time, in_user_namespace, new_namespaces
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Linux, Spec


def add_filesystem(plan: Plan, launch: Launch, give: Callable[[int], int]) -> None:
    """Everything from the private mount namespace to the pivot; `give` takes each fd that is opened over."""
    spec, linux = launch.spec, launch.spec.linux or Linux()
    plan.add(op.PROPAGATION, mounts.propagation(linux, spec.mounts))
    if "cgroup" in new_namespaces(linux):
        plan.add(op.UNSHARE, FLAGS["cgroup"])
    compiler = _add_mounts(plan, launch, linux, give)
    # In a user namespace, the container's own or this process's, nodes can not be made.
    add_devices(plan, spec, linux.devices, bind=in_user_namespace(linux) or not userns.is_initial())
    if spec.process and spec.process.terminal:
        add_console(plan, spec.process, launch.console_socket, plain=launch.plain_lines)
    hook_plan.add_create_hooks(plan, launch)
    if spec.process and spec.process.cwd.startswith("/"):
        plan.add(op.MKDIR, 0o755, spec.process.cwd)
    compiler.finish()
    _add_sysctls(plan, spec, linux)
    for path in linux.readonly_paths:
        plan.add(op.READONLY, path)
    for path in linux.masked_paths:
        plan.add(op.MASK, path)
    _add_pivot(plan, launch, linux)


def _add_mounts(plan: Plan, launch: Launch, linux: Linux, give: Callable[[int], int]) -> mounts.Mounts:
    compiler = mounts.Mounts(plan, linux, launch.cgroup, give, launch.trees)
    compiler.add_root(launch.spec.root, launch.rootfs)
    for mount in launch.spec.mounts:
        compiler.add(mount)
    return compiler


def _add_sysctls(plan: Plan, spec: Spec, linux: Linux) -> None:
    """Before /proc/sys is covered. A private procfs serves where the container mounts none."""
    if not any(mount.type == "proc" for mount in spec.mounts):
        plan.add(op.PROC)
    if linux.sysctl:
        from jubako.runtime import sysctl

        made = new_namespaces(linux)
        for name, value in linux.sysctl.items():
            plan.add(op.SYSCTL, sysctl.path(name, made), value)
    add_time(plan, linux)


def _add_pivot(plan: Plan, launch: Launch, linux: Linux) -> None:
    plan.add(op.PIVOT, int(not launch.pivot), int(mounts.is_shared(linux, launch.spec.mounts)))
    if linux.rootfs_propagation:
        plan.add(op.PROPAGATION, _root_propagation(linux.rootfs_propagation))
    if launch.spec.root and launch.spec.root.readonly:
        plan.add(op.ROOT_READONLY)


def _root_propagation(text: str) -> int:
    name = text.removeprefix("r")
    if name not in mount_options.PROPAGATION:
        raise InvalidArgument(f"linux.rootfsPropagation: {text!r} is not supported")
    return mount_options.PROPAGATION[name] | (mount_options.RECURSIVE if text.startswith("r") else 0)
