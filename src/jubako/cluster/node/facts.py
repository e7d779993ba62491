"""What the machine is, as a Node tells it. Spec: core/v1 NodeStatus; "Node Status"."""

from __future__ import annotations

import os
import platform
from datetime import datetime
from pathlib import Path

from jubako.cluster.types import times
from jubako.cluster.types.document import JSON, Object
from jubako.engine.system import os_name

_PODS = 110
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_HEALTHY = {
    "MemoryPressure": ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    "Ready": ("True", "KubeletReady", "kubelet is posting ready status"),
}


def labels(name: str) -> dict[str, str]:
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    return {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "node-role.kubernetes.io/control-plane": "",
    }


def status(name: str, address: str, version: str, now: datetime, before: list[Object]) -> Object:
    """Return a whole NodeStatus; `before` are the conditions until now, whose times stay while they hold."""
    able: Object = {**capacity()}
    known = {condition.get("type"): condition for condition in before}
    return {
        "capacity": able,
        "allocatable": able,
        "conditions": [_condition(kind, known.get(kind, {}), now) for kind in _HEALTHY],
        "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": _info(version),
    }


def capacity() -> dict[str, str]:
    """Return what all pods together can have."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    disk = os.statvfs("/")
    return {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{memory_bytes // 1024}Ki",
        "ephemeral-storage": f"{disk.f_blocks * disk.f_frsize // 1024}Ki",
        "pods": str(_PODS),
    }


def _condition(kind: str, before: Object, now: datetime) -> Object:
    value, reason, message = _HEALTHY[kind]
    since: JSON = before.get("lastTransitionTime") if before.get("status") == value else times.render(now)
    return {
        "type": kind,
        "status": value,
        "lastHeartbeatTime": times.render(now),
        "lastTransitionTime": since,
        "reason": reason,
        "message": message,
    }


def _info(version: str) -> Object:
    return {
        "machineID": _line("/etc/machine-id"),
        "systemUUID": "",
        "bootID": _line("/proc/sys/kernel/random/boot_id"),
        "kernelVersion": platform.release(),
        "osImage": os_name(),
        "containerRuntimeVersion": f"jubako://{version}",
        "kubeletVersion": f"v1.32.0+jubako{version}",
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
    }


def _line(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
