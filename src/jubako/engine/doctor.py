"""What this host lacks for containers, and how to get it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from jubako.engine import paths
from jubako.errors import JubakoError
from jubako.linux import userns


class Finding(msgspec.Struct, frozen=True):
    """One check: `level` is ok, warning (something optional) or error (containers will not run)."""

    level: str
    subject: str
    detail: str
    remedy: str = ""


def examine(root: Path) -> list[Finding]:
    """Run every check, for an engine with its state in `root`, which need not be there yet."""
    return [check(root) for check in (*CHECKS, *(OF_ORDINARY_USERS if userns.user() else ()))]


def _user(root: Path) -> Finding:
    if userns.user() == 0:
        return Finding("ok", "user", "root")
    return Finding("warning", "user", "not root: no networks of one's own, no pods", "sudo jubako …")


def _user_namespace(root: Path) -> Finding:
    """Tried, since a sysctl, a limit or a security module may forbid it."""
    from jubako.runtime import rootless

    try:
        rootless.enter(paths.default_run_root(root))
    except JubakoError as error:
        return Finding("error", "user namespace", error.message, _allowing())
    return Finding("ok", "user namespace", "works")


def _allowing() -> str:
    for name, value in (
        ("kernel.apparmor_restrict_unprivileged_userns", "0"),
        ("kernel.unprivileged_userns_clone", "1"),
        ("user.max_user_namespaces", "10000"),
    ):
        path = Path("/proc/sys", *name.split("."))
        if path.exists() and int(path.read_text()) == (0 if value != "0" else 1):
            return f"sysctl -w {name}={value}"
    return "allow this user to make user namespaces"


def _ranges(root: Path) -> Finding:
    """What the namespace has, once it is entered; told of newuidmap and the ranges where it is not."""
    if not userns.maps_one_id():
        return Finding("ok", "ids", "ranges of /etc/subuid and /etc/subgid")
    return Finding(
        "warning",
        "ids",
        "only this user's own: images with files of other owners can not be unpacked or built",
        f"apt-get install uidmap; usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {_name()}",
    )


def _name() -> str:
    import pwd

    try:
        return pwd.getpwuid(userns.user()).pw_name
    except KeyError:
        return str(userns.user())


def _tun(root: Path) -> Finding:
    if os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return Finding("ok", "/dev/net/tun", "usable")
    return Finding("warning", "/dev/net/tun", "not usable; pasta needs it", "modprobe tun; chmod 0666 /dev/net/tun")


def _executor(root: Path) -> Finding:
    import jubako

    path = Path(jubako.__file__).parent / "_bin/executor"
    if os.access(path, os.X_OK):
        return Finding("ok", "executor", str(path))
    return Finding("error", "executor", "the executor is not built", "install gcc and run pip install again")


def _namespaces(root: Path) -> Finding:
    missing = [
        name
        for name in ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")
        if not Path(f"/proc/self/ns/{name}").exists()
    ]
    if missing:
        return Finding("error", "namespaces", f"the kernel lacks {', '.join(missing)}", "use a kernel with namespaces")
    return Finding("ok", "namespaces", "mnt pid net ipc uts user cgroup")


def _overlay(root: Path) -> Finding:
    if "\toverlay\n" in Path("/proc/filesystems").read_text():
        return Finding("ok", "overlayfs", "available")
    return Finding("error", "overlayfs", "the kernel does not offer overlay", "modprobe overlay")


def _cgroups(root: Path) -> Finding:
    from jubako.linux import cgroup

    return Finding("ok", "cgroups", f"version {cgroup.manager().version}")


def _limits(root: Path) -> Finding:
    """Who makes an ordinary user's groups, and of what there can be limits."""
    from jubako.linux import cgroup

    given = cgroup.delegated()
    if not given.place:
        return Finding("warning", "limits", f"none: {given.reason}", given.hint)
    maker = "the user's systemd" if given.place == cgroup.SYSTEMD else f"beneath {given.place}"
    return Finding("ok", "limits", f"{maker}: {' '.join(sorted(given.controllers))}")


def _seccomp(root: Path) -> Finding:
    if Path("/proc/sys/kernel/seccomp/actions_avail").exists():
        return Finding("ok", "seccomp", "filters available")
    return Finding("error", "seccomp", "the kernel has no seccomp filters", "use a kernel with CONFIG_SECCOMP_FILTER")


def _tool(name: str, purpose: str, package: str) -> Callable[[Path], Finding]:
    def check(root: Path) -> Finding:
        path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if path:
            return Finding("ok", name, path)
        return Finding("warning", name, f"not found; {purpose}", f"apt-get install {package}")

    return check


def _space(root: Path) -> Finding:
    there = next(path for path in (root, *root.parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    level = "ok" if free > 1 << 30 else "warning"
    return Finding(
        level, "disk", f"{free // (1 << 20)} MiB free at {root}", "" if level == "ok" else "jubako system prune"
    )


CHECKS: tuple[Callable[[Path], Finding], ...] = (
    _user,
    _executor,
    _namespaces,
    _overlay,
    _cgroups,
    _seccomp,
    _tool("nft", "bridge networks and published ports need it", "nftables"),
    _tool("mmdebstrap", "`image bootstrap debian:…` needs it", "mmdebstrap"),
    _tool("newuidmap", "ordinary users need it for more ids than their own", "uidmap"),
    _tool("pasta", "the network of ordinary users needs it", "passt"),
    _space,
)

# The first of them enters a user namespace, which the others look at.
OF_ORDINARY_USERS: tuple[Callable[[Path], Finding], ...] = (_user_namespace, _ranges, _tun, _limits)
