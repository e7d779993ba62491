"""What AppArmor and SELinux are to make of a process and of mounts, where this machine has them.

A label that is asked for and can not be given is refused: a process without it would be less confined than meant.

Spec: OCI runtime-spec, config.md (apparmorProfile, selinuxLabel), config-linux.md (mountLabel).
"""

from __future__ import annotations

import os

from jubako.errors import InvalidArgument
from jubako.runtime import opcodes as op
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Process

_UNLABELLED = ("proc", "sysfs", "cgroup", "cgroup2")


def apparmor_enabled() -> bool:
    try:
        with open("/sys/module/apparmor/parameters/enabled") as file:
            return file.read(1) == "Y"
    except OSError:
        return False


def selinux_enabled() -> bool:
    return os.path.exists("/sys/fs/selinux/enforce")


def add_labels(plan: Plan, process: Process) -> None:
    """LABEL: what the program becomes at execve."""
    profile, label = process.apparmor_profile, process.selinux_label
    if profile not in ("", "unconfined") or (profile and apparmor_enabled()):
        if not apparmor_enabled():
            raise InvalidArgument(f"process.apparmorProfile is {profile}, but AppArmor is disabled or not supported")
        # Where several LSMs are stacked, "exec" may be another one's.
        own = os.path.exists("/proc/self/attr/apparmor/exec")
        plan.add(op.LABEL, "apparmor/exec" if own else "exec", f"exec {profile}")
    if label:
        if not selinux_enabled():
            raise InvalidArgument(f"process.selinuxLabel is {label}, but selinux is disabled or not supported")
        plan.add(op.LABEL, "exec", label)


def mount_data(kind: str, label: str) -> list[str]:
    """The option that labels all of a new filesystem of this kind."""
    if not label or kind in _UNLABELLED:
        return []
    if not selinux_enabled():
        raise InvalidArgument(f"linux.mountLabel is {label}, but selinux is disabled or not supported")
    return [f"context={label}"]
