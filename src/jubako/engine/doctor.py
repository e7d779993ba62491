"""What this host lacks for containers, and how to get it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from jubako.engine.drivers import Drivers


class Finding(msgspec.Struct, frozen=True):
    """One check: `level` is ok, warning (something optional) or error (containers will not run)."""

    level: str
    subject: str
    detail: str
    remedy: str = ""


def examine(drivers: Drivers) -> list[Finding]:
    """Run every check."""
    return [check(drivers) for check in CHECKS]


def _user(drivers: Drivers) -> Finding:
    if os.geteuid() == 0:
        return Finding("ok", "user", "root")
    return Finding("warning", "user", "not root: bridge networks and published ports need root", "sudo jubako …")


def _executor(drivers: Drivers) -> Finding:
    import jubako

    path = Path(jubako.__file__).parent / "_bin/executor"
    if os.access(path, os.X_OK):
        return Finding("ok", "executor", str(path))
    return Finding("error", "executor", "the executor is not built", "install gcc and run pip install again")


def _namespaces(drivers: Drivers) -> Finding:
    missing = [
        name
        for name in ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")
        if not Path(f"/proc/self/ns/{name}").exists()
    ]
    if missing:
        return Finding("error", "namespaces", f"the kernel lacks {', '.join(missing)}", "use a kernel with namespaces")
    return Finding("ok", "namespaces", "mnt pid net ipc uts user cgroup")


def _overlay(drivers: Drivers) -> Finding:
    if "\toverlay\n" in Path("/proc/filesystems").read_text():
        return Finding("ok", "overlayfs", "available")
    return Finding("error", "overlayfs", "the kernel does not offer overlay", "modprobe overlay")


def _cgroups(drivers: Drivers) -> Finding:
    from jubako.linux import cgroup

    return Finding("ok", "cgroups", f"version {cgroup.manager().version}")


def _seccomp(drivers: Drivers) -> Finding:
    if Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        return Finding("ok", "seccomp", "filters available")
    return Finding("error", "seccomp", "the kernel has no seccomp filters", "use a kernel with CONFIG_SECCOMP_FILTER")


def _tool(name: str, purpose: str, package: str) -> Callable[[Drivers], Finding]:
    def check(drivers: Drivers) -> Finding:
        path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if path:
            return Finding("ok", name, path)
        return Finding("warning", name, f"not found; {purpose}", f"apt-get install {package}")

    return check


def _space(drivers: Drivers) -> Finding:
    free = shutil.disk_usage(drivers.root).free
    level = "ok" if free > 1 << 30 else "warning"
    return Finding(
        level, "disk", f"{free // (1 << 20)} MiB free at {drivers.root}", "" if level == "ok" else "jubako system prune"
    )


CHECKS: tuple[Callable[[Drivers], Finding], ...] = (
    _user,
    _executor,
    _namespaces,
    _overlay,
    _cgroups,
    _seccomp,
    _tool("nft", "bridge networks and published ports need it", "nftables"),
    _tool("mmdebstrap", "`image bootstrap debian:…` needs it", "mmdebstrap"),
    _tool("newuidmap", "containers of ordinary users need it", "uidmap"),
    _tool("pasta", "networks of ordinary users need it", "passt"),
    _space,
)
