"""What a user does to a container that runs: signals, stop, wait, pause; and removing one, which may stop it first."""

from __future__ import annotations

import signal
from contextlib import nullcontext

from jubako.engine import process, removal
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_container
from jubako.engine.group import group_of
from jubako.engine.lifecycle import finish, get
from jubako.engine.process import parse_signal
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import Conflict, FailedPrecondition
from jubako.runtime import state

_KILL_S = 10.0


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
    group_of(record).freeze()
    _set_paused(drivers, record, True)


def unpause(drivers: Drivers, text: str) -> None:
    """Let a paused container go on."""
    record = get(drivers, text)
    if not record.paused:
        raise FailedPrecondition(f"Container {text} is not paused")
    group_of(record).thaw()
    _set_paused(drivers, record, False)


def _set_paused(drivers: Drivers, record: ContainerRecord, paused: bool) -> None:
    with drivers.store.records.transaction():
        current = drivers.containers.get(record.id)
        current.paused = paused
        drivers.containers.replace(record.id, current)
        emit_container(drivers, current, "pause" if paused else "unpause")


def remove(drivers: Drivers, text: str, *, force: bool = False, volumes: bool = False) -> None:
    """Remove a container; a running one only with `force`, which kills it first."""
    record = get(drivers, text)
    if record.phase == RUNNING:
        if not force:
            how = "paused" if record.paused else "running"
            raise Conflict(
                f'cannot remove container "/{record.name}": container is {how}: '
                "stop the container before removing or force remove"
            )
        stop(drivers, record.id, 0, "KILL")
    if drivers.containers.find(record.id) is None:
        return
    with drivers.locked(record.id):
        current = drivers.containers.find(record.id)
        if current is None:
            return
        if current.phase == RUNNING:
            raise Conflict(f'cannot remove container "/{record.name}": it was started meanwhile')
        removal.remove_ended(drivers, current, volumes=volumes)
