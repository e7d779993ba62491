"""Controls of what a pod sees and sets of the kernel: /proc and sysctls.

Spec: "Pod Security Standards", Baseline: /proc Mount Type, Sysctls.
"""

from __future__ import annotations

from jubako.cluster.apiserver.podsecurity.pod import Container, Control, Pod, Violation, containers, quoted
from jubako.cluster.types.document import objects, text

_SYSCTLS = {
    0: (
        "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range", "net.ipv4.tcp_syncookies",
    ),
    27: ("net.ipv4.ip_local_reserved_ports",),
    29: (
        "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
    ),
    32: ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"),
}  # fmt: skip
"""The sysctls that are safe, by the minor version that was the first to say so."""


def sysctls(minor: int) -> Control:
    """Return the control as it is from a version on."""
    safe = {name for since, names in _SYSCTLS.items() if since <= minor for name in names}

    def check(pod: Pod) -> Violation | None:
        names = [text(each.get("name")) for each in objects(pod.context.get("sysctls"))]
        bad = [name for name in names if name not in safe]
        return Violation("forbidden sysctls", ", ".join(bad)) if bad else None

    return check


def proc_mount(pod: Pod) -> Violation | None:
    bad = pod.named(_proc)
    kinds = sorted({_proc(each) for each in pod.containers} - {""})
    told = f"{containers(bad)} must not set securityContext.procMount to {quoted(kinds)}"
    return Violation("procMount", told) if bad else None


def _proc(container: Container) -> str:
    """Return how /proc is mounted, "" for the usual way."""
    kind = text(container.context.get("procMount"))
    return "" if kind == "Default" else kind
