"""Controls of the profiles that bind a pod: AppArmor, SELinux, seccomp.

Spec: "Pod Security Standards", Baseline: AppArmor, SELinux, Seccomp; Restricted: Seccomp.
"""

from __future__ import annotations

from collections.abc import Iterator

from jubako.cluster.apiserver.podsecurity.pod import (
    Container,
    Control,
    Pod,
    Violation,
    containers,
    plural,
    quoted,
    setters,
)
from jubako.cluster.types.document import Object, at, mapping, text

_PROFILES = ("Localhost", "RuntimeDefault")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD, _SECCOMP = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"
_SELINUX_TYPES = {0: ("", "container_t", "container_init_t", "container_kvm_t"), 31: ("container_engine_t",)}
"""By the minor version that was the first to allow them."""


def apparmor(pod: Pod) -> Violation | None:
    marks = sorted(f'{key}="{value}"' for key, value in pod.annotations.items() if _is_bad_apparmor(key, value))
    who, kinds = _bad_profiles(pod, "appArmorProfile")
    values = [*kinds, *marks]
    if not values:
        return None
    whose = " and ".join(each for each in (who, plural("annotation", len(marks)) if marks else "") if each)
    told = f"{whose} must not set AppArmor profile type to {quoted(values)}"
    return Violation(plural("forbidden AppArmor profile", len(values)), told)


def _is_bad_apparmor(key: str, value: str) -> bool:
    return key.startswith(_APPARMOR) and value not in ("", "runtime/default") and not value.startswith("localhost/")


def seccomp_annotations(pod: Pod) -> Violation | None:
    keys = sorted({_SECCOMP_POD, *(_SECCOMP + each.name for each in pod.containers)} & pod.annotations.keys())
    bad = [f'{key}="{pod.annotations[key]}"' for key in keys if _is_bad_seccomp(pod.annotations[key])]
    return Violation("seccompProfile", f"forbidden {plural('annotation', len(bad))} {', '.join(bad)}") if bad else None


def _is_bad_seccomp(value: str) -> bool:
    return value not in ("runtime/default", "docker/default") and not value.startswith("localhost/")


def seccomp(pod: Pod) -> Violation | None:
    who, kinds = _bad_profiles(pod, "seccompProfile")
    told = f"{who} must not set securityContext.seccompProfile.type to {quoted(kinds)}"
    return Violation("seccompProfile", told) if who else None


def some_seccomp(pod: Pod) -> Violation | None:
    """Saying nothing is not enough, but for a container of a pod that says something."""
    if bad := seccomp(pod):
        return bad
    silent = [] if _profile(pod.context, "seccompProfile") else pod.named(_has_no_seccomp)
    what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Violation("seccompProfile", f"pod or {containers(silent)} {what}") if silent else None


def _has_no_seccomp(container: Container) -> bool:
    return _profile(container.context, "seccompProfile") is None


def _bad_profiles(pod: Pod, name: str) -> tuple[str, list[str]]:
    """Return who sets a type of profile that is none of the harmless ones, and which."""
    kinds = {_bad_profile(context, name) for context in _contexts(pod)} - {None}
    names = pod.named(lambda each: _bad_profile(each.context, name) is not None)
    return setters(_bad_profile(pod.context, name) is not None, names), sorted(
        kind for kind in kinds if kind is not None
    )


def _bad_profile(context: Object, name: str) -> str | None:
    kind = _profile(context, name)
    return None if kind in _PROFILES else kind


def _profile(context: Object, name: str) -> str | None:
    """Return the type of a profile, None where none is set."""
    return None if context.get(name) is None else text(at(context, name, "type"))


def _contexts(pod: Pod) -> Iterator[Object]:
    yield pod.context
    for each in pod.containers:
        yield each.context


def selinux(minor: int) -> Control:
    """Return the control as it is from a version on."""
    allowed = {name for since, names in _SELINUX_TYPES.items() if since <= minor for name in names}

    def is_bad(context: Object) -> bool:
        options = mapping(context.get("seLinuxOptions"))
        return text(options.get("type")) not in allowed or bool(options.get("user") or options.get("role"))

    def check(pod: Pod) -> Violation | None:
        who = setters(is_bad(pod.context), pod.named(lambda each: is_bad(each.context)))
        options = [mapping(context.get("seLinuxOptions")) for context in _contexts(pod)]
        types = sorted({text(each.get("type")) for each in options} - allowed)
        told = [f"{plural('type', len(types))} {quoted(types)}"] if types else []
        told += [f"{name} may not be set" for name in ("user", "role") if any(each.get(name) for each in options)]
        what = f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(told)}"
        return Violation("seLinuxOptions", what) if who else None

    return check
