"""create, start and run. How containers end stands in `ending`."""

from __future__ import annotations

import _socket
import os
import signal
import struct
from collections.abc import Callable
from contextlib import ExitStack

from jubako.errors import FailedPrecondition, JubakoError
from jubako.linux import fd as fds_of
from jubako.linux import proc
from jubako.runtime import executor
from jubako.runtime import opcodes as op
from jubako.runtime.attach import read_packet
from jubako.runtime.executor import Handle, Launch
from jubako.runtime.handle import MESSAGE_BYTES_MAX, error_of
from jubako.runtime.launch import Filter
from jubako.runtime.oci import bundle, caller, ending, groups, hooks, inheritance
from jubako.runtime.oci.containers import Container, Containers, Record
from jubako.runtime.oci.log import Log
from jubako.spec import clock
from jubako.spec.oci_runtime import Linux, Spec


class Creation:
    """What the command line says of a new container."""

    def __init__(
        self,
        name: str,
        path: str,
        log: Log,
        *,
        console_socket: str = "",
        pid_file: str = "",
        pidfd_socket: str = "",
        preserve_fds: str = "0",
        pivot: bool = True,
        keyring: bool = True,
        systemd: bool = False,
    ) -> None:
        self.name = name
        self.bundle = os.path.abspath(path or ".")
        self.log = log
        self.console_socket = console_socket
        self.pid_file = pid_file
        self.pidfd_socket = pidfd_socket
        self.preserve_fds = preserve_fds
        self.pivot = pivot
        self.keyring = keyring
        self.systemd = systemd


def create(containers: Containers, asked: Creation) -> Container:
    """Make the container up to where `start` lets its program begin."""
    return _create(containers, asked, detached=True)[0]


def _create(containers: Containers, asked: Creation, *, detached: bool) -> tuple[Container, Handle]:
    spec, config = bundle.load(asked.bundle, asked.log)
    asked_hooks = hooks.of(spec)
    place, group = groups.of(spec.linux or Linux(), asked.name, systemd=asked.systemd)
    record = Record(asked.name, asked.bundle, clock.stamp(), group, place=place, annotations=spec.annotations)
    container = containers.make(record, config)
    with ExitStack() as undo:
        undo.callback(container.remove)
        memory = hooks.StateMemory(asked_hooks)
        undo.callback(memory.close)
        launch = _launch(container, spec, asked, undo, detached=detached)
        launch.hook_state = memory.fd
        handle = executor.create(launch)
        if launch.cgroup:
            launch.cgroup.joined()
        if not detached:
            undo.callback(handle.abandon)
        record.pid, record.pid_start = handle.pid, proc.start_ticks(handle.pid) or 0
        undo.callback(ending.run_poststop, container, asked_hooks)
        undo.callback(ending.end, container)
        container.save()
        hooks.run_create_hooks(handle, asked_hooks, container, memory)
        if detached:
            handle.await_creation()
        memory.write(container, "created")
        memory.close()
        caller.tell(record.pid, pid_file=asked.pid_file, pidfd_socket=asked.pidfd_socket)
        undo.pop_all()
    return container, handle


def _launch(container: Container, spec: Spec, asked: Creation, undo: ExitStack, *, detached: bool) -> Launch:
    linux = spec.linux or Linux()
    terminal = bool(spec.process and spec.process.terminal)
    caller.check_console(terminal=terminal, detached=detached, socket=asked.console_socket)
    if spec.process and terminal and not detached:
        caller.fit_terminal(spec.process)
    launch = Launch(
        spec=spec,
        run_dir=container.directory,
        stdio="inherit",
        seccomp=seccomp_filter(container, spec, "created"),
        leave=detached,
        listen=False,
        attach=terminal and not detached,
        stdin=terminal,
        plain_lines=terminal and not detached,
        pivot=asked.pivot,
        keyring=asked.keyring,
    )
    _inherit(launch, asked)
    if container.record.cgroup:
        launch.cgroup = container.manager().create(container.record.cgroup, linux.resources)
        undo.callback(launch.cgroup.remove)
    if asked.console_socket:
        launch.console_socket = caller.connect(asked.console_socket)
    if detached:
        launch.start_listener = _listen(container.start_socket)
    return launch


def seccomp_filter(container: Container, spec: Spec, status: str, *, pid: int = 0) -> Filter | None:
    """The specification's filter, compiled, if it has one. Its agent is told the state, with this status, and the first
    process's pid; that is 0 when it is the one that is filtered."""
    if not spec.linux or not spec.linux.seccomp:
        return None
    from jubako.runtime import seccomp

    return seccomp.of_specification(spec.linux.seccomp, container.document(status=status), pid=pid)


def _inherit(launch: Launch, asked: Creation) -> None:
    sockets = inheritance.listening()
    launch.preserve_fds = inheritance.preserved(asked.preserve_fds, sockets)
    if launch.spec.process:
        launch.spec.process.env += inheritance.environment(sockets)


def start(container: Container) -> None:
    """Let the program begin. Raises why it could not; the container has stopped then."""
    match container.status():
        case "created":
            pass
        case "stopped":
            raise FailedPrecondition("cannot start a container that has stopped")
        case "creating":
            raise FailedPrecondition(f"container {container.record.id} is being created")
        case _:
            raise FailedPrecondition("cannot start an already running container")
    try:
        connection = fds_of.connect_packet(container.start_socket)
    except (ConnectionRefusedError, FileNotFoundError):
        raise FailedPrecondition("cannot start an already running container") from None
    try:
        os.unlink(container.start_socket)
        os.write(connection, struct.pack("=II", op.MESSAGE_START, 0))
        message = read_packet(connection, MESSAGE_BYTES_MAX)
    finally:
        os.close(connection)
    if message:
        ending.end(container)
        raise error_of(message)
    _run_poststart(container)


def _run_poststart(container: Container) -> None:
    asked = hooks.of(container.spec())
    try:
        hooks.run(asked.poststart, container.state(status="running"), "poststart", container.record.bundle)
    except FailedPrecondition:
        ending.end(container)
        raise


def run(containers: Containers, asked: Creation, *, detach: bool, keep: bool) -> int:
    """create, start and, unless detached, wait and delete; returns the exit code."""
    if detach:
        container = create(containers, asked)
        try:
            start(container)
        except JubakoError:
            ending.delete(container, force=True)
            raise
        return 0
    container, handle = _create(containers, asked, detached=False)
    try:
        return attend(handle, started=lambda: _run_poststart(container))
    finally:
        handle.abandon()
        if not keep:
            ending.delete(container, force=True)


def attend(handle: Handle, *, started: Callable[[], None] = lambda: None) -> int:
    """Start the program, stay with it, and return its code. Signals are its own from before it runs.

    `started` is called when the program runs.
    """
    if not handle.attached:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, lambda received, _: handle.signal(received))
    handle.start()
    started()
    if handle.attached:
        from jubako.runtime.oci import terminal

        terminal.relay(handle.attached)
    return handle.wait().code


def _listen(path: str) -> int:
    """A listening socket at `path`, however deep, for this user alone."""
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET | _socket.SOCK_CLOEXEC)
        listener.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
        listener.listen(1)
        return fds_of.above_stdio(listener.detach())
    finally:
        os.close(directory)
