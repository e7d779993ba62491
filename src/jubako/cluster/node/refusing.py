"""What a node refuses to run: the pod fails before anything of it is made.

Spec: k8s.io/kubernetes/pkg/kubelet/sysctl, pkg/security/apparmor; "Using sysctls in a Kubernetes Cluster".
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jubako.cluster.node.seen import Refusal
from jubako.cluster.types.document import Object, at, mapping, objects, text

_SAFE = frozenset(
    "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range "
    "net.ipv4.ip_unprivileged_port_start net.ipv4.ip_local_reserved_ports net.ipv4.tcp_keepalive_time "
    "net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_rmem "
    "net.ipv4.tcp_wmem".split()
)
_APPARMOR = Path("/sys/module/apparmor/parameters/enabled")


def refusal(pod: Object, *, has_apparmor: bool) -> Refusal | None:
    """Return why a pod is not run here, None for one that is."""
    for name in _sysctls(pod):
        if name not in _SAFE:
            return Refusal("SysctlForbidden", f'forbidden sysctl: "{name}" not allowlisted')
        for kind, field in (("net.", "hostNetwork"), ("kernel.shm", "hostIPC")):
            if name.startswith(kind) and at(pod, "spec", field) is True:
                shared = "net" if field == "hostNetwork" else "ipc"
                return Refusal("SysctlForbidden", f'forbidden sysctl: "{name}" not allowed with host {shared} enabled')
    if not has_apparmor and any(kind in ("RuntimeDefault", "Localhost") for kind in _apparmor(pod)):
        return Refusal("AppArmor", "Cannot enforce AppArmor: AppArmor is not enabled on the host")
    return None


def host_has_apparmor() -> bool:
    try:
        return _APPARMOR.read_text().startswith("Y")
    except OSError:
        return False


def _sysctls(pod: Object) -> Iterator[str]:
    for each in objects(at(pod, "spec", "securityContext", "sysctls")):
        yield text(each.get("name")).replace("/", ".")


def _apparmor(pod: Object) -> Iterator[str]:
    yield text(at(pod, "spec", "securityContext", "appArmorProfile", "type"))
    for group in ("initContainers", "containers"):
        for container in objects(at(pod, "spec", group)):
            yield text(at(mapping(container.get("securityContext")), "appArmorProfile", "type"))
