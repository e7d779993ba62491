"""The end of a container: noticing it, stopping it, removing it.

`finish` is the one place where a container that ran becomes one that has ended. Everybody may call it at any time:
the attached caller, the executor's cleanup command, any command that finds the process gone. It is idempotent, works
from any half state, and runs under the container's lock.
"""

from __future__ import annotations

import signal
import time
from contextlib import nullcontext

from jubako.engine import process, removal
from jubako.engine.attachment import release_network
from jubako.engine.drivers import Drivers, find
from jubako.engine.events import emit_container
from jubako.engine.record import EXITED, RUNNING, ContainerRecord
from jubako.errors import FailedPrecondition, InvalidArgument, NotFound
from jubako.linux import cgroup
from jubako.runtime import state
from jubako.runtime.launch import Exit
from jubako.store.removal import discard_tree

_KILL_S = 10.0


def refresh(drivers: Drivers, record: ContainerRecord) -> ContainerRecord | None:
    """The record as it is true now: one that ended unnoticed is finished first. None when that removed it."""
    if record.phase == removal.REMOVING:
        removal.remove_remains(drivers, record)
        return None
    if record.phase != RUNNING or is_alive(drivers, record):
        return record
    finish(drivers, record.id)
    return drivers.containers.find(record.id)


def get(drivers: Drivers, text: str) -> ContainerRecord:
    """`find`, then `refresh`; raises NotFound when the container turns out to be gone."""
    record = refresh(drivers, find(drivers, text))
    if record is None:
        raise NotFound("container", text)
    return record


def is_alive(drivers: Drivers, record: ContainerRecord) -> bool:
    """Whether the container's executor still stands beside it (a start in progress counts: its lock is held)."""
    return process.is_running(drivers.run_dir(record.id)) or drivers.is_locked(record.id)


def finish(drivers: Drivers, container_id: str, *, known: Exit | None = None) -> ContainerRecord | None:
    """Take down what the container's run left and record its end; remove it when it is --rm.

    Returns the ended record, or None when the container is gone. Does nothing while the container runs.
    """
    try:
        with drivers.locked(container_id):
            record = drivers.containers.find(container_id)
            if record is None or record.phase != RUNNING:
                return record
            exit_ = known or _exit_of(drivers, record)
            if exit_ is None:
                return record
            if record.healthcheck:
                from jubako.engine import health

                record.health = health.of(drivers, record)
            _take_down(drivers, record)
            _note_end(record, exit_)
            if record.options.auto_remove:
                removal.remove_files(drivers, record, volumes=True)
                removal.forget(drivers, record, "die", exitCode=str(record.exit_code))
                return None
            with drivers.store.records.transaction():
                drivers.containers.replace(record.id, record)
                _emit_end(drivers, record)
            return record
    except NotFound:
        return None


def _exit_of(drivers: Drivers, record: ContainerRecord) -> Exit | None:
    """How the container ended; None while it runs. One whose executor was killed ended by SIGKILL."""
    current = state.read(drivers.run_dir(record.id))
    if current.status in ("created", "running"):
        return None
    return current.exit or Exit(code=137, signal=signal.SIGKILL, oom=False, started_ns=0, finished_ns=time.time_ns())


def _take_down(drivers: Drivers, record: ContainerRecord) -> None:
    release_network(drivers, record)
    remove_group(record)
    discard_tree(drivers.run_dir(record.id))


def remove_group(record: ContainerRecord) -> None:
    """Take the container's cgroup away; that of its pod stays, empty or not, for its limits are the pod's."""
    cgroup.usable().open(record.cgroup).remove(above=not record.options.pod)


def _note_end(record: ContainerRecord, exit_: Exit) -> None:
    record.phase, record.pid, record.paused = EXITED, 0, False
    record.exit_code, record.oom_killed = exit_.code, exit_.oom
    record.finished_ns = time.time_ns()


def _emit_end(drivers: Drivers, record: ContainerRecord) -> None:
    if record.oom_killed:
        emit_container(drivers, record, "oom")
    seconds = (record.finished_ns - record.started_ns) // 1_000_000_000
    emit_container(drivers, record, "die", exitCode=str(record.exit_code), execDuration=str(seconds))


def parse_signal(text: str) -> int:
    """The number of `KILL`, `SIGKILL` or `9`; raises InvalidArgument."""
    if text.isascii() and text.isdecimal() and 0 < int(text) < signal.NSIG:
        return int(text)
    upper = text.upper()
    name = upper if upper.startswith("SIG") else f"SIG{upper}"
    if name in signal.Signals.__members__:
        return int(signal.Signals[name])
    base, plus, offset = name.partition("+")
    if base == "SIGRTMIN" and plus and offset.isdecimal() and int(offset) <= signal.SIGRTMAX - signal.SIGRTMIN:
        return int(signal.SIGRTMIN) + int(offset)
    raise InvalidArgument(f"Invalid signal: {text}")


def kill(drivers: Drivers, text: str, signal_name: str = "KILL") -> None:
    """Send a signal to the container's first process; after SIGKILL, return when the container has ended."""
    number = parse_signal(signal_name)
    record = get(drivers, text)
    if record.phase != RUNNING:
        raise FailedPrecondition(f"cannot kill container: {text}: container {record.id} is not running")
    if number in (signal.SIGKILL, signal.SIGTERM):
        note_stopped_by_user(drivers, record)
    run_dir = drivers.run_dir(record.id)
    with state.awaited(run_dir) if number == signal.SIGKILL else nullcontext():
        process.send_signal(run_dir, number)
        with drivers.store.records.transaction():
            emit_container(drivers, record, "kill", signal=str(number))
        if number == signal.SIGKILL and process.await_end(run_dir, _KILL_S):
            finish(drivers, record.id)


def stop(drivers: Drivers, text: str, timeout_s: float | None = None, signal_name: str | None = None) -> None:
    """Send the stop signal, and SIGKILL when the container has not ended after `timeout_s` (-1: wait for ever)."""
    record = get(drivers, text)
    if record.phase != RUNNING:
        return
    note_stopped_by_user(drivers, record)
    if record.paused:
        unpause(drivers, record.id)
    grace = timeout_s if timeout_s is not None else record.options.stop_timeout
    run_dir = drivers.run_dir(record.id)
    with state.awaited(run_dir):
        send_stop_signal(drivers, record, signal_name)
        if not process.await_end(run_dir, None if grace == -1 else 10.0 if grace is None else grace):
            process.send_signal(run_dir, signal.SIGKILL)
            process.await_end(run_dir, None)
        finish(drivers, record.id)
    if ended := drivers.containers.find(record.id):
        with drivers.store.records.transaction():
            emit_container(drivers, ended, "stop")


def send_stop_signal(drivers: Drivers, record: ContainerRecord, signal_name: str | None = None) -> None:
    """Ask the container's first process to end."""
    process.send_signal(drivers.run_dir(record.id), parse_signal(signal_name or record.stop_signal))


def note_stopped_by_user(drivers: Drivers, record: ContainerRecord) -> None:
    """A restart policy leaves alone what its user stopped."""
    with drivers.store.records.transaction():
        if current := drivers.containers.find(record.id):
            current.stopped_by_user = True
            drivers.containers.replace(record.id, current)


def wait(drivers: Drivers, text: str) -> int:
    """Block until the container is not running and return its exit code."""
    record = get(drivers, text)
    if record.phase == RUNNING:
        run_dir = drivers.run_dir(record.id)
        process.await_end(run_dir, None)
        ended = state.read(run_dir).exit
        after = finish(drivers, record.id)
        return after.exit_code if after else ended.code if ended else 137
    return record.exit_code


def pause(drivers: Drivers, text: str) -> None:
    """Freeze every process of the container."""
    record = get(drivers, text)
    if record.phase != RUNNING:
        raise FailedPrecondition(f"container {record.id} is not running")
    if record.paused:
        raise FailedPrecondition(f"Container {text} is already paused")
    cgroup.usable().open(record.cgroup).freeze()
    _set_paused(drivers, record, True)


def unpause(drivers: Drivers, text: str) -> None:
    """Let a paused container go on."""
    record = get(drivers, text)
    if not record.paused:
        raise FailedPrecondition(f"Container {text} is not paused")
    cgroup.usable().open(record.cgroup).thaw()
    _set_paused(drivers, record, False)


def _set_paused(drivers: Drivers, record: ContainerRecord, paused: bool) -> None:
    with drivers.store.records.transaction():
        current = drivers.containers.get(record.id)
        current.paused = paused
        drivers.containers.replace(record.id, current)
        emit_container(drivers, current, "pause" if paused else "unpause")
