"""Starting a container: everything is acquired into one stack, and let go of in reverse when a step fails.

What must survive a crash is recorded before the act: the phase becomes `running`, with the cgroup's name, before
there is a process; the endpoint's address and ports before there is a link. A start that was killed half-way looks like
a container that ran and ended, and is finished as one (lifecycle.finish).
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from jubako.engine import files, group, ordinary, rootfs, security, volumes
from jubako.engine.attachment import (
    attach_network,
    carry_network,
    choose_ports,
    hosts_text,
    is_bridged,
    is_carried,
    release_network,
    reserve_network,
)
from jubako.engine.claiming import claim
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_container
from jubako.engine.identity import identity_of
from jubako.engine.lifecycle import remove_group
from jubako.engine.record import CREATED, EXITED, RUNNING, ContainerRecord
from jubako.engine.resources import compile_resources
from jubako.engine.spec import compile_spec, hostname
from jubako.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
)
from jubako.linux import cgroup
from jubako.runtime import executor, seccomp
from jubako.runtime.executor import Handle, Launch, LogFile
from jubako.runtime.launch import Filter
from jubako.spec.oci_runtime import Mount
from jubako.store.removal import discard_tree

_LOG_SIZE_BYTES, _LOG_FILES = 20 << 20, 5


def start(drivers: Drivers, record: ContainerRecord, *, attach: bool) -> Handle:
    """Start a created or ended container and return the handle on its executor; the caller holds the container's lock.

    Raises what kept it from starting; then nothing of the start is left and the record says why.
    """
    if record.phase not in (CREATED, EXITED):
        raise FailedPrecondition(f"cannot start container {record.name}: it is {record.phase}")
    try:
        with ExitStack() as undo:
            handle = _start(drivers, record, undo, attach=attach)
            undo.pop_all()
    except BaseException as error:
        _record_failure(drivers, record, error)
        raise
    return handle


def _start(drivers: Drivers, record: ContainerRecord, undo: ExitStack, *, attach: bool) -> Handle:
    launch = prepare(drivers, record, undo, attach=attach)
    limits, _ = ordinary.attainable(compile_resources(record.options))
    launch.cgroup = cgroup.at(record.cgroup_place).create(record.cgroup, limits)
    undo.callback(remove_group, record)
    undo.callback(launch.cgroup.joined)
    handle = executor.create(launch)
    undo.callback(handle.abandon)
    launch.cgroup.joined()
    record.pid = handle.pid
    drivers.records_of(record).replace(record.id, record)
    undo.callback(release_network, drivers, record)  # before its directory goes, where pasta's mount is
    _connect(drivers, record, handle)
    if launch.notice:
        from jubako.engine import health

        health.install(drivers, record, handle, launch)
    handle.begin()
    with suppress(ResourceExhausted):  # the program runs, and may have filled the disk: that is no reason to end it
        _note(drivers, record, "start")
    undo.callback(_note, drivers, record, "die", exitCode="137")
    handle.settle()
    return handle


def prepare(drivers: Drivers, record: ContainerRecord, undo: ExitStack, *, attach: bool) -> Launch:
    """Claim the start, and make all that is of disk and records; what is of the kernel comes after."""
    run_dir = drivers.run_dir(record.id)
    _claim(drivers, record)
    undo.callback(release_network, drivers, record)
    rootfs.ensure_snapshot(drivers, record)
    discard_tree(run_dir)  # a check of the last run may have written there while its end was recorded
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    undo.callback(discard_tree, run_dir)
    identity = identity_of(drivers, record)
    trees: dict[str, int] = {}
    undo.callback(_close_trees, trees)
    own = [*_files(drivers, record, run_dir), *files.termination_log(drivers.state_dir(record.id), record.options)]
    mounts = [*own, *volumes.mounts(drivers, record, trees)]
    return Launch(
        spec=compile_spec(drivers, record, identity, mounts),
        rootfs=drivers.snapshots.mounts(record.id, volatile=record.options.auto_remove),
        trees=trees,
        run_dir=run_dir,
        seccomp=seccomp_program(drivers, record, security.capabilities(record.options)),
        log=_log(drivers, record),
        stdin=record.options.open_stdin,
        attach=attach,
        keep_fds=ordinary.kept(),
        cleanup=own_command(drivers, "cleanup", record.id),
        notice=own_command(drivers, "health", record.id) if record.healthcheck or record.options.probes else [],
    )


def _close_trees(trees: dict[str, int]) -> None:
    """Those that the executor has not taken over."""
    while trees:
        os.close(trees.popitem()[1])


def _note(drivers: Drivers, record: ContainerRecord, what: str, **attributes: str) -> None:
    """Who heard of the start hears of the end, should the monitor die before all is said to have begun."""
    with drivers.store.records.transaction():
        emit_container(drivers, record, what, **attributes)


def _connect(drivers: Drivers, record: ContainerRecord, handle: Handle) -> None:
    """Connect the network; the executor holds the sockets of the published ports as long as the container lives."""
    if record.options.pod:
        from jubako.engine.pods import members

        held = members.hold_ports(drivers, record)
    elif is_bridged(record) or is_carried(record):
        netns_fd = handle.netns_fd()
        try:
            connect = attach_network if is_bridged(record) else carry_network
            held = connect(drivers, record, netns_fd)
        finally:
            os.close(netns_fd)
    else:
        return
    try:
        handle.keep(held)
    finally:
        for fd in held:
            os.close(fd)


def _claim(drivers: Drivers, record: ContainerRecord) -> None:
    """Record the start before the act."""
    record.phase, record.started_ns, record.finished_ns = RUNNING, time.time_ns(), 0
    record.pid, record.exit_code, record.error, record.oom_killed = 0, 0, "", False
    record.paused, record.stopped_by_user = False, False
    record.probed, record.health = {}, None
    group.choose(record)

    if is_carried(record):
        choose_ports(record)

    def recorded() -> None:
        reserve_network(drivers, record)
        drivers.records_of(record).replace(record.id, record)

    claim(drivers, recorded)


def _record_failure(drivers: Drivers, record: ContainerRecord, error: BaseException) -> None:
    """Docker's exit codes of a container that did not start: 127 not found, 126 not executable, 128 otherwise."""
    record.phase, record.error, record.pid = CREATED, str(error), 0
    record.exit_code = {NotFound: 127, PermissionDenied: 126}.get(type(error), 128)
    record.started_ns = 0
    drivers.containers.replace(record.id, record)


def _files(drivers: Drivers, record: ContainerRecord, run_dir: Path) -> list[Mount]:
    if record.options.pod:
        return files.mounts(drivers.pod_places.run_dir(record.options.pod), read_only=record.options.read_only)
    return files.write(
        run_dir,
        hostname(record),
        hosts_text(drivers, record),
        files.resolv_text(record.options),
        read_only=record.options.read_only,
    )


def _log(drivers: Drivers, record: ContainerRecord) -> LogFile | None:
    if record.options.log_driver == "none":
        return None
    from jubako.engine.mounts import parse_size

    options, cri = record.options.log_opts, record.options.log_driver == "k8s-file"
    unknown = set(options) - {"max-size", "max-file", "labels", "env", *(["path"] if cri else [])}
    if unknown:
        raise InvalidArgument(f"unknown log opt '{sorted(unknown)[0]}' for {record.options.log_driver} log driver")
    return LogFile(
        path=str(drivers.log_path(record)),
        cri=cri,
        max_size_bytes=parse_size(options["max-size"]) if "max-size" in options else _LOG_SIZE_BYTES,
        max_files=int(options.get("max-file", _LOG_FILES)),
    )


def seccomp_program(drivers: Drivers, record: ContainerRecord, capabilities: list[str]) -> Filter | None:
    """The filter of the container's processes; None where it is unconfined."""
    choice = security.parse(record.options.security_opt)
    if record.options.privileged or choice.seccomp == "unconfined":
        return None
    profile = security.seccomp_profile(choice)
    return seccomp.of_profile(drivers.root / "cache" / "seccomp", capabilities, profile)


def own_command(drivers: Drivers, *words: str) -> list[str]:
    """A command of ours that the executor runs: when the container has ended and its creator is gone, for one."""
    arguments = ["--root", str(drivers.root), "--run-root", str(drivers.run_root), *words]
    front = Path(sys.executable).parent / "jubako"
    return [str(front), *arguments] if front.exists() else [sys.executable, "-m", "jubako", *arguments]
