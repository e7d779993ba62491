"""Controls of privileges: all of them, single capabilities, and more than what a process began with.

Spec: "Pod Security Standards", Baseline: Privileged Containers, Capabilities; Restricted: Privilege Escalation,
      Capabilities.
"""

from __future__ import annotations

from jubako.cluster.apiserver.podsecurity.pod import Container, Pod, Violation, containers, quoted
from jubako.cluster.types.document import array, at, text

_USUAL = frozenset({
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP",
    "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
})  # fmt: skip
_RESTRICTED = frozenset({"NET_BIND_SERVICE"})


def privileged(pod: Pod) -> Violation | None:
    bad = pod.named(lambda each: each.context.get("privileged"))
    return Violation("privileged", f"{containers(bad)} must not set securityContext.privileged=true") if bad else None


def escalation(pod: Pod) -> Violation | None:
    bad = pod.named(lambda each: each.context.get("allowPrivilegeEscalation") is not False)
    told = f"{containers(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Violation("allowPrivilegeEscalation != false", told) if bad else None


def usual_capabilities(pod: Pod) -> Violation | None:
    told = _added(pod, _USUAL)
    return Violation("non-default capabilities", told) if told else None


def least_capabilities(pod: Pod) -> Violation | None:
    kept = pod.named(lambda each: "ALL" not in array(at(each.context, "capabilities", "drop")))
    told = [f'{containers(kept)} must set securityContext.capabilities.drop=["ALL"]'] if kept else []
    if added := _added(pod, _RESTRICTED):
        told.append(added)
    return Violation("unrestricted capabilities", "; ".join(told)) if told else None


def _added(pod: Pod, allowed: frozenset[str]) -> str:
    """Tell who adds what is not allowed; "" for nobody."""
    bad = pod.named(lambda each: _extra(each, allowed))
    if not bad:
        return ""
    names = sorted({name for each in pod.containers for name in _extra(each, allowed)})
    return f"{containers(bad)} must not include {quoted(names)} in securityContext.capabilities.add"


def _extra(container: Container, allowed: frozenset[str]) -> set[str]:
    return {text(each) for each in array(at(container.context, "capabilities", "add"))} - allowed
