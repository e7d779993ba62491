"""What Docker gives a container that asks for nothing: capabilities, mounts, devices, masks, device rules.

Source: moby, oci/defaults.go and oci/caps/defaults.go; the tests compare with a running dockerd where there is one.
"""

from __future__ import annotations

import os

from jubako.linux import userns
from jubako.spec.oci_runtime import DeviceRule, Mount

CAPABILITY_NUMBERS = {
    f"CAP_{name}": number
    for number, name in enumerate(
        "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
        "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT "
        "SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL "
        "SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF "
        "CHECKPOINT_RESTORE".split()
    )
}
"""linux/capability.h, in order."""

ALL_CAPABILITIES = list(CAPABILITY_NUMBERS)

CAPABILITIES = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
]

MASKED_PATHS = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
]

READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def _allow(kind: str, major: int | None, minor: int | None, access: str = "rwm") -> DeviceRule:
    return DeviceRule(allow=True, type=kind, major=major, minor=minor, access=access)


DEVICE_RULES = [
    DeviceRule(allow=False),
    _allow("c", None, None, "m"),  # mknod is harmless where open is refused
    _allow("b", None, None, "m"),
    _allow("c", 1, 3),  # null
    _allow("c", 1, 5),  # zero
    _allow("c", 1, 7),  # full
    _allow("c", 1, 8),  # random
    _allow("c", 1, 9),  # urandom
    _allow("c", 5, 0),  # tty
    _allow("c", 5, 1),  # console
    _allow("c", 5, 2),  # ptmx
    _allow("c", 136, None),  # pts/*
]

# As runc's: a container that may make nodes of its own (CAP_MKNOD) has no business at the host's console.
OCI_DEVICE_RULES = [rule for rule in DEVICE_RULES if (rule.major, rule.minor) != (5, 1)]

DEVICES = [("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0)]
"""Character devices that every container has in /dev, mode 0666 (runtime-spec, "Default Devices")."""

DEVICE_LINKS = [
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
    *([("core", "/proc/kcore")] if os.path.exists("/proc/kcore") else []),
]

_EVERY_GROUP, _ROOTS_GROUP = "0 2147483647", "0 0"


def network_sysctls() -> dict[str, str]:
    """In a network namespace of its own any user may ping and bind low ports (moby, daemon/oci_linux.go).

    The range's groups must be mapped: in a user namespace root alone may ping.
    """
    groups = _EVERY_GROUP if userns.is_initial() else _ROOTS_GROUP
    return {"net.ipv4.ping_group_range": groups, "net.ipv4.ip_unprivileged_port_start": "0"}


RLIMITS = {
    "cpu": 0,
    "fsize": 1,
    "data": 2,
    "stack": 3,
    "core": 4,
    "rss": 5,
    "nproc": 6,
    "nofile": 7,
    "memlock": 8,
    "as": 9,
    "locks": 10,
    "sigpending": 11,
    "msgqueue": 12,
    "nice": 13,
    "rtprio": 14,
    "rttime": 15,
}
"""Names as `--ulimit` has them, with the kernel's numbers (asm-generic/resource.h)."""


def mounts(*, privileged: bool = False) -> list[Mount]:
    """The mounts of every container, parents first; new objects at each call."""
    access = "rw" if privileged else "ro"
    return [
        _mount("/proc", "proc", "nosuid", "noexec", "nodev"),
        _mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        _mount("/dev/pts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        _mount("/sys", "sysfs", "nosuid", "noexec", "nodev", access),
        _mount("/sys/fs/cgroup", "cgroup", access, "nosuid", "noexec", "nodev"),
        _mount("/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        _mount("/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", "size=67108864"),
    ]


def _mount(destination: str, kind: str, *options: str) -> Mount:
    return Mount(destination=destination, type=kind, source=kind, options=list(options))
