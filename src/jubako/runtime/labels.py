"""What AppArmor and SELinux are to make of a process and of mounts, where this machine has them.

A label that is asked for and can not be given is refused: a process without it would be less confined than meant.

Spec: OCI runtime-spec, config.md (apparmorProfile, selinuxLabel), config-linux.md (mountLabel).
"""

from __future__ import annotations

import os

import msgspec

from jubako.errors import InvalidArgument
from jubako.runtime import opcodes as op
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Process

_UNLABELLED = ("proc", "sysfs", "cgroup", "cgroup2")


class Modules(msgspec.Struct, frozen=True):
    """The kernel's security modules that give labels."""

    apparmor: bool
    selinux: bool


def modules(sys: str = "/sys") -> Modules:
    try:
        with open(f"{sys}/module/apparmor/parameters/enabled") as file:
            apparmor = file.read(1) == "Y"
    except OSError:
        apparmor = False
    return Modules(apparmor, os.path.exists(f"{sys}/fs/selinux/enforce"))


def add_labels(plan: Plan, process: Process, known: Modules | None = None) -> None:
    """LABEL: what the program becomes at execve."""
    profile, label = process.apparmor_profile, process.selinux_label
    if not profile and not label:
        return
    known = known or modules()
    if profile and known.apparmor:
        # Where several modules are stacked, "exec" may be another one's.
        own = os.path.exists("/proc/self/attr/apparmor/exec")
        plan.add(op.LABEL, "apparmor/exec" if own else "exec", f"exec {profile}")
    elif profile and profile != "unconfined":
        raise InvalidArgument(f"process.apparmorProfile is {profile}, but AppArmor is disabled or not supported")
    if label and not known.selinux:
        raise InvalidArgument(f"process.selinuxLabel is {label}, but selinux is disabled or not supported")
    if label:
        plan.add(op.LABEL, "exec", label)


def mount_data(kind: str, label: str, known: Modules | None = None) -> list[str]:
    """The option that labels all of a new filesystem of this kind."""
    if not label or kind in _UNLABELLED:
        return []
    if not (known or modules()).selinux:
        raise InvalidArgument(f"linux.mountLabel is {label}, but selinux is disabled or not supported")
    return [f"context={label}"]
