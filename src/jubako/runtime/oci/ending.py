"""kill and delete: how a container ends, from whatever state it is in."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

from jubako.errors import FailedPrecondition
from jubako.runtime.oci import hooks
from jubako.runtime.oci.containers import Container
from jubako.spec.oci_runtime import Hooks

_HARMLESS = (0, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)
_KILL_TIMEOUT_S = 10.0


def kill(container: Container, number: int, *, everything: bool) -> None:
    """Send a signal to the first process, or to all that is in the cgroup."""
    if container.record.cgroup and (everything or (number == signal.SIGKILL and _outlives_its_first(container))):
        group = container.group()
        if number == signal.SIGKILL:
            group.kill_all()
        else:
            group.signal_all(number)
        return
    if not container.alive():
        raise FailedPrecondition("container not running")  # containerd looks for these words
    if container.status() == "created" and number not in _HARMLESS:
        number = signal.SIGKILL  # who waits for its start handles no signal, and the kernel spares a pid 1 those
    _signal(container, number)
    if number == signal.SIGKILL and container.status() == "paused":
        container.group().thaw()  # v1's freezer holds even those that are to die


def _outlives_its_first(container: Container) -> bool:
    """Whether there are processes that do not end with the first one: it is no init of a pid namespace."""
    linux = container.spec().linux
    own = linux is not None and any(space.type == "pid" and not space.path for space in linux.namespaces)
    return not own and bool(container.group().pids())


def _signal(container: Container, number: int) -> None:
    if not container.record.pid:
        return
    try:
        fd = os.pidfd_open(container.record.pid)
    except ProcessLookupError:
        return
    try:
        if container.alive():  # the fd was opened before this look: it is that process, or nobody gets the signal
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(fd, number)
    finally:
        os.close(fd)


def end(container: Container) -> None:
    """Kill what is left, and wait until the first process is gone."""
    if container.record.cgroup:
        with contextlib.suppress(FileNotFoundError):
            container.group().kill_all()
    _signal(container, signal.SIGKILL)
    deadline = time.monotonic() + _KILL_TIMEOUT_S
    while container.alive() and time.monotonic() < deadline:
        time.sleep(0.002)


def delete(container: Container, *, force: bool) -> None:
    """Remove all that is left of a stopped container; `force` kills it first."""
    if force:
        end(container)
        if container.alive():
            raise FailedPrecondition(f"cannot delete container {container.record.id}: container init still running")
    elif (status := container.status()) != "stopped":
        raise FailedPrecondition(f"cannot delete container {container.record.id} that is not stopped: {status}")
    if container.record.cgroup:
        container.group().remove()
    if os.path.exists(os.path.join(container.directory, "config.json")):
        run_poststop(container, container.spec().hooks or Hooks())
    container.remove()


def run_poststop(container: Container, asked: Hooks) -> None:
    state = container.state(status="stopped")
    for message in hooks.run_all(asked.poststop, state, "poststop", container.record.bundle):
        sys.stderr.write(f"jubako-oci: warning: {message}\n")
