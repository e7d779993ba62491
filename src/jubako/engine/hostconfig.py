"""`HostConfig` of `docker inspect`: what a container was asked to have of its host."""

from __future__ import annotations

from typing import Any

from jubako.engine import devices, security
from jubako.engine.options import restart_policy
from jubako.engine.record import ContainerRecord
from jubako.runtime import defaults
from jubako.runtime.rlimits import rlimit

_ABSENT: dict[str, Any] = {
    **dict.fromkeys(("Cgroup", "CgroupParent", "ContainerIDFile", "VolumeDriver"), ""),
    **dict.fromkeys(("BlkioWeight", "CpuCount", "CpuPercent", "CpuRealtimePeriod", "CpuRealtimeRuntime"), 0),
    **dict.fromkeys(("IOMaximumBandwidth", "IOMaximumIOps"), 0),
    **{key: [] for key in ("BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps", "BlkioDeviceWriteIOps")},
    **dict.fromkeys(("DeviceCgroupRules", "DeviceRequests", "Links", "MemorySwappiness", "VolumesFrom"), None),
    "BlkioWeightDevice": [],
    "ConsoleSize": [0, 0],
    "OomKillDisable": False,
}


def of(record: ContainerRecord) -> dict[str, Any]:
    """The options of the container under Docker's names; those that there are not have the value of nothing."""
    options = record.options
    policy, retries = restart_policy(options.restart)
    exposed = options.privileged or security.parse(options.security_opt).unmask
    return {
        **_ABSENT,
        "Binds": options.volumes or None,
        "LogConfig": {"Type": options.log_driver, "Config": options.log_opts},
        "NetworkMode": options.network,
        "PortBindings": _requested_ports(record),
        "RestartPolicy": {"Name": policy, "MaximumRetryCount": retries},
        "AutoRemove": options.auto_remove,
        "CapAdd": _capabilities(options.cap_add),
        "CapDrop": _capabilities(options.cap_drop),
        "CgroupnsMode": options.cgroupns or "private",
        "Dns": options.dns,
        "DnsOptions": options.dns_options,
        "DnsSearch": options.dns_search,
        "ExtraHosts": options.extra_hosts or None,
        "GroupAdd": options.group_add or None,
        "IpcMode": options.ipc or "private",
        "PidMode": options.pid,
        "UTSMode": options.uts,
        "UsernsMode": options.userns,
        "OomScoreAdj": options.oom_score_adj or 0,
        "Privileged": options.privileged,
        "PublishAllPorts": options.publish_all,
        "ReadonlyRootfs": options.read_only,
        "SecurityOpt": options.security_opt or None,
        "ShmSize": options.shm_size,
        "Sysctls": options.sysctls or None,
        "Tmpfs": dict(text.partition(":")[::2] for text in options.tmpfs) or None,
        "Runtime": "jubako",
        "Isolation": "",
        "CpuShares": options.cpu_shares,
        "Memory": options.memory,
        "NanoCpus": options.nano_cpus,
        "CpuPeriod": options.cpu_period,
        "CpuQuota": options.cpu_quota,
        "CpusetCpus": options.cpuset_cpus,
        "CpusetMems": options.cpuset_mems,
        "Devices": [_device(text) for text in options.devices],
        "MemoryReservation": options.memory_reservation,
        "MemorySwap": options.memory_swap or 2 * options.memory,
        "PidsLimit": options.pids_limit or None,
        "Ulimits": [_ulimit(text) for text in options.ulimits],
        "MaskedPaths": [] if exposed else list(defaults.MASKED_PATHS),
        "ReadonlyPaths": [] if exposed else list(defaults.READONLY_PATHS),
        "Init": options.init,
    }


def _device(text: str) -> dict[str, str]:
    source, path, access = devices.parse(text)
    return {"PathOnHost": source, "PathInContainer": path, "CgroupPermissions": access}


def _ulimit(text: str) -> dict[str, Any]:
    limit = rlimit(text)
    return {"Name": limit.type.removeprefix("RLIMIT_").lower(), "Hard": limit.hard, "Soft": limit.soft}


def _capabilities(names: list[str]) -> list[str] | None:
    return [security.capability(name, defaults.ALL_CAPABILITIES, "CapAdd") for name in names] or None


def _requested_ports(record: ContainerRecord) -> dict[str, list[dict[str, str]]]:
    from jubako.network import publish

    wanted: dict[str, list[dict[str, str]]] = {}
    for binding in (binding for text in record.options.publish for binding in publish.parse(text)):
        port = str(binding.host_port) if binding.host_port else ""
        place = wanted.setdefault(f"{binding.container_port}/{binding.protocol}", [])
        place.append({"HostIp": binding.host_ip if binding.host_ip != "0.0.0.0" else "", "HostPort": port})
    return wanted
