"""A pod's part of the kernel: namespaces pinned in its run directory, its network, its cgroup, its shared memory.

Layout:       RUN_ROOT/pods/<id>/   net, ipc, uts (pins)   shm (tmpfs)   hostname, hosts, resolv.conf   ready
Model:        no process belongs to a pod (but see init). What is mounted in its run directory keeps its namespaces, so
              it survives the end of every process of ours and is gone after a reboot.
Invariant:    `ready` is written last, and a pod is there only with it and all its pins: one that was killed half-way
              looks like one that is gone, and is taken down as one.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path

from jubako.engine import files
from jubako.engine.attachment import attach_network, hosts_text, is_bridged, release_network
from jubako.engine.drivers import Drivers
from jubako.engine.pods import init
from jubako.engine.pods.record import IPC, NET, PID, UTS, PodRecord
from jubako.engine.resources import compile_limits
from jubako.errors import PermissionDenied
from jubako.linux import cgroup, mount, pinned
from jubako.linux import fd as fds_of
from jubako.runtime import defaults, sysctl
from jubako.store.removal import discard_tree

_READY = "ready"
_SHM = "shm"
_SYSCTL_NAMES = {NET: "network", IPC: "ipc", UTS: "uts"}


def build(drivers: Drivers, record: PodRecord) -> None:
    """Make all of it; the address and the ports are reserved. Where it fails, `take_down` removes what was made."""
    run_dir = drivers.pod_places.run_dir(record.id)
    with ExitStack() as undo:
        undo.callback(take_down, drivers, record)
        run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        hosts, resolv = hosts_text(drivers, record), files.resolv_text(record.options)
        files.write(run_dir, record.hostname, hosts, resolv, read_only=False)
        cgroup.at("").create(record.cgroup, compile_limits(record.options)).close()
        _pin_namespaces(record, run_dir)
        if NET in record.kept:
            _connect(drivers, record, run_dir / NET)
        if IPC in record.kept:
            _mount_shared_memory(run_dir / _SHM, record.options.shm_size)
        if PID in record.kept:
            init.start(drivers, record, run_dir)
        (run_dir / _READY).touch()
        undo.pop_all()


def is_there(drivers: Drivers, record: PodRecord) -> bool:
    """Whether the pod is whole: made to its end, since the machine was started."""
    run_dir = drivers.pod_places.run_dir(record.id)
    if not (run_dir / _READY).exists() or (PID in record.kept and not init.is_alive(run_dir)):
        return False
    return all(pinned.is_pinned(run_dir / name) for name in _mounted(record))


def take_down(drivers: Drivers, record: PodRecord) -> None:
    """Remove all that `build` makes, however far it came; idempotent."""
    run_dir = drivers.pod_places.run_dir(record.id)
    (run_dir / _READY).unlink(missing_ok=True)
    release_network(drivers, record)
    discard_run_dir(run_dir)
    cgroup.at("").open(record.cgroup).remove()


def discard_run_dir(run_dir: Path) -> None:
    """Delete a pod's run directory, with what is mounted there."""
    for name in (NET, IPC, UTS, PID, _SHM):
        pinned.unpin(run_dir / name)
    discard_tree(run_dir)


def shared_memory(run_dir: Path) -> Path:
    """What is bound at /dev/shm of each container that shares the pod's IPC namespace."""
    return run_dir / _SHM


def sysctls(record: PodRecord) -> dict[str, str]:
    """Paths beneath /proc/sys and their values: Docker's defaults of a network, and what was asked for."""
    made = {_SYSCTL_NAMES[kind] for kind in record.kept if kind in _SYSCTL_NAMES}
    own = defaults.network_sysctls() if NET in record.kept else {}
    return {sysctl.path(name, made): value for name, value in {**own, **record.options.sysctls}.items()}


def _mounted(record: PodRecord) -> list[str]:
    return [*record.kept, *([_SHM] if IPC in record.kept else [])]


def _pin_namespaces(record: PodRecord, run_dir: Path) -> None:
    kinds = [kind for kind in record.kept if kind in pinned.KINDS]
    if not kinds:
        return
    try:
        with pinned.made(kinds, run_dir):
            if UTS in kinds:
                socket.sethostname(record.hostname)
            values = sysctls(record)
            if UTS in kinds and record.options.domainname:
                values["kernel/domainname"] = record.options.domainname
            for path, value in values.items():
                _write(f"/proc/sys/{path}", value)
    except PermissionError:
        raise PermissionDenied("a pod needs namespaces of its own", hint="run this as root") from None


def _write(path: str, value: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)


def _connect(drivers: Drivers, record: PodRecord, pin: Path) -> None:
    """Once for all its containers. Their monitors hold the published ports, as long as any of them lives."""
    netns_fd = os.open(pin, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if is_bridged(record):
            fds_of.close_all(attach_network(drivers, record, netns_fd))
        else:
            from jubako.network import bridge

            bridge.loopback_up(netns_fd)
    finally:
        os.close(netns_fd)


def _mount_shared_memory(path: Path, size_bytes: int) -> None:
    path.mkdir(exist_ok=True)
    context = mount.fsopen("tmpfs")
    try:
        for key, value in {"source": "shm", "mode": "1777", "size": str(size_bytes)}.items():
            mount.fsconfig(context, key, value)
        mount.fsconfig_create(context)
        tree = mount.fsmount(context, mount.MOUNT_ATTR_NOSUID | mount.MOUNT_ATTR_NODEV | mount.MOUNT_ATTR_NOEXEC)
        try:
            mount.move_mount(tree, str(path))
        finally:
            os.close(tree)
    finally:
        os.close(context)
