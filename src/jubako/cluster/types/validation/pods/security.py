"""Security contexts of pods and of containers."""

from __future__ import annotations

import re

from jubako.cluster.types.document import Object, array, mapping, objects, text
from jubako.cluster.types.validation.errors import Errors
from jubako.cluster.types.validation.fields import between, local_path

_LARGEST_ID = 2**31 - 1
_SYSCTL = r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?([\./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*"
_SYSCTL_LENGTH = 253
_ADMIN = ("CAP_SYS_ADMIN", "SYS_ADMIN")


def check_pod(errors: Errors, path: str, spec: Object) -> None:
    context, where = mapping(spec.get("securityContext")), f"{path}.securityContext"
    _ids(errors, where, context, "runAsUser", "runAsGroup", "fsGroup")
    for n, group in enumerate(array(context.get("supplementalGroups"))):
        between(errors, f"{where}.supplementalGroups[{n}]", group, 0, _LARGEST_ID)
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        detail = "ShareProcessNamespace and HostPID cannot both be enabled"
        errors.invalid(f"{path}.shareProcessNamespace", True, detail)
    _host_users(errors, path, spec)
    _profiles(errors, where, context)
    _sysctls(errors, f"{where}.sysctls", objects(context.get("sysctls")))


def _host_users(errors: Errors, path: str, spec: Object) -> None:
    """A user namespace of its own goes with no namespace of the host."""
    if spec.get("hostUsers") is not False:
        return
    for name, what in (("hostNetwork", "hostNetwork"), ("hostPID", "hostPID"), ("hostIPC", "hostIPC")):
        if spec.get(name):
            errors.forbidden(f"{path}.{name}", f"when `hostUsers` is false, `{what}` cannot be true")


def check_container(errors: Errors, path: str, context: Object) -> None:
    _ids(errors, path, context, "runAsUser", "runAsGroup")
    _profiles(errors, path, context)
    if context.get("allowPrivilegeEscalation") is not False:
        return
    if context.get("privileged"):
        detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
        errors.invalid(path, context, detail)
    if any(name in _ADMIN for name in array(mapping(context.get("capabilities")).get("add"))):
        detail = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
        errors.invalid(path, context, detail)


def _ids(errors: Errors, path: str, context: Object, *names: str) -> None:
    for name in names:
        between(errors, f"{path}.{name}", context.get(name), 0, _LARGEST_ID)


def _profiles(errors: Errors, path: str, context: Object) -> None:
    for name, what in (("seccompProfile", "seccomp"), ("appArmorProfile", "AppArmor")):
        profile = mapping(context.get(name))
        kind, given = text(profile.get("type")), profile.get("localhostProfile")
        where = f"{path}.{name}.localhostProfile"
        if context.get(name) is not None and not kind:
            errors.required(f"{path}.{name}.type", "type is required when AppArmor is set" if what != "seccomp" else "")
        elif kind == "Localhost" and not given:
            errors.required(where, f"must be set when {what} type is Localhost")
        elif kind != "Localhost" and given is not None:
            errors.invalid(where, given, f"can only be set when {what} type is Localhost")
        elif kind == "Localhost" and what == "seccomp":
            local_path(errors, where, text(given))


def _sysctls(errors: Errors, path: str, sysctls: list[Object]) -> None:
    seen: set[str] = set()
    for n, sysctl in enumerate(sysctls):
        name, where = text(sysctl.get("name")), f"{path}[{n}].name"
        if not name:
            errors.required(where)
        elif len(name) > _SYSCTL_LENGTH or not re.fullmatch(_SYSCTL, name, re.ASCII):
            detail = f"must have at most {_SYSCTL_LENGTH} characters and match regex ^{_SYSCTL}$"
            errors.invalid(where, name, detail)
        elif name in seen:
            errors.duplicate(where, name)
        seen.add(name)
