"""Which control group a container is to have: one beneath jubako/, or a scope of systemd's."""

from __future__ import annotations

import os

import msgspec

from jubako.errors import FailedPrecondition
from jubako.linux import cgroup, userns
from jubako.spec.oci_runtime import Linux, Resources


def name_of(linux: Linux, container: str, *, systemd: bool) -> str:
    """What the manager is to make; "" for an ordinary user, and for root of its namespace, who could make none.

    Raises FailedPrecondition when the specification has limits then, and where systemd is asked for but absent.
    """
    if systemd:
        return cgroup.systemd_manager().name_of(linux.cgroups_path, container)
    if os.geteuid() != 0 or not userns.is_initial():
        _refuse_limits(linux.resources)
        return ""
    path = linux.cgroups_path
    if path.count(":") == 2:  # systemd's slice:prefix:name
        piece, prefix, unit = path.split(":")
        path = f"{piece}/{prefix}-{unit}"
    return path.strip("/").removeprefix(f"{cgroup.PARENT}/") or container


def _refuse_limits(resources: Resources | None) -> None:
    """Rules for devices need no group here: without privileges nobody makes or opens one that it could not before."""
    for field in msgspec.structs.fields(Resources):
        if field.name != "devices" and _is_limit(getattr(resources, field.name, None)):
            name = field.encode_name
            raise FailedPrecondition(
                f"linux.resources.{name}: cannot set {name} limit: container could not join or create cgroup",
                hint="--systemd-cgroup has the user's own systemd make one",
            )


def _is_limit(value: object) -> bool:
    """Zero and an empty list say nothing."""
    return any(msgspec.structs.astuple(value)) if isinstance(value, msgspec.Struct) else bool(value)
