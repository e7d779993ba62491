"""Which control group a container is to have: one beneath jubako/, of the machine or of a group that was delegated to
this user; where an absolute cgroupsPath says; or a scope of systemd's."""

from __future__ import annotations

import msgspec

from jubako.errors import FailedPrecondition
from jubako.linux import cgroup, userns
from jubako.spec.oci_runtime import Linux, Resources


def of(linux: Linux, container: str, *, systemd: bool) -> tuple[str, str]:
    """The place of the group, and the name that the manager there is to make; no name where there can be none.

    Raises FailedPrecondition when the specification has limits then, and where systemd is asked for but absent.
    """
    if systemd:
        return cgroup.SYSTEMD, cgroup.systemd_manager().name_of(linux.cgroups_path, container)
    place = ""
    if not userns.is_machine_root():
        place = cgroup.delegated(systemd=False).place
        if not place:
            _refuse_limits(linux.resources)
            return "", ""
    name = _name(linux.cgroups_path)
    return place, (name.lstrip("/") if place else name) or container


def _name(path: str) -> str:
    if path.count(":") == 2:  # systemd's slice:prefix:name
        piece, prefix, unit = path.split(":")
        path = f"{piece}/{prefix}-{unit}"
    if path.startswith(f"/{cgroup.PARENT}/"):
        return path.removeprefix(f"/{cgroup.PARENT}/")
    return path if path.startswith("/") else path.removeprefix(f"{cgroup.PARENT}/")


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
