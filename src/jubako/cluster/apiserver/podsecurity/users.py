"""Controls of who a pod's processes are. Spec: "Pod Security Standards", Restricted: Running as Non-root (user)."""

from __future__ import annotations

from jubako.cluster.apiserver.podsecurity.pod import Container, Pod, Violation, containers, setters


def non_root(pod: Pod) -> Violation | None:
    reason, of_pod = "runAsNonRoot != true", pod.context.get("runAsNonRoot")
    if who := setters(of_pod is False, pod.named(lambda each: each.context.get("runAsNonRoot") is False)):
        return Violation(reason, f"{who} must not set securityContext.runAsNonRoot=false")
    silent = [] if of_pod else pod.named(_says_nothing)
    told = f"pod or {containers(silent)} must set securityContext.runAsNonRoot=true"
    return Violation(reason, told) if silent else None


def _says_nothing(container: Container) -> bool:
    return container.context.get("runAsNonRoot") is None


def no_root_user(pod: Pod) -> Violation | None:
    who = setters(pod.context.get("runAsUser") == 0, pod.named(lambda each: each.context.get("runAsUser") == 0))
    return Violation("runAsUser=0", f"{who} must not set runAsUser=0") if who else None
