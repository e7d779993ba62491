"""The end of a container: noticing it, and recording it.

`finish` is the one place where a container that ran becomes one that has ended. Everybody may call it at any time:
the attached caller, the executor's cleanup command, any command that finds the process gone. It is idempotent, works
from any half state, and runs under the container's lock.
"""

from __future__ import annotations

import signal
import time

from jubako.engine import process, removal
from jubako.engine.attachment import release_network
from jubako.engine.drivers import Drivers, find
from jubako.engine.events import emit_container
from jubako.engine.group import group_of
from jubako.engine.record import EXITED, RUNNING, ContainerRecord
from jubako.errors import NotFound
from jubako.runtime import state
from jubako.runtime.launch import Exit
from jubako.store.removal import discard_tree


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
    group_of(record).remove(above=not record.options.pod)


def _note_end(record: ContainerRecord, exit_: Exit) -> None:
    record.phase, record.pid, record.paused = EXITED, 0, False
    record.exit_code, record.oom_killed = exit_.code, exit_.oom
    record.finished_ns = time.time_ns()


def _emit_end(drivers: Drivers, record: ContainerRecord) -> None:
    if record.oom_killed:
        emit_container(drivers, record, "oom")
    seconds = (record.finished_ns - record.started_ns) // 1_000_000_000
    emit_container(drivers, record, "die", exitCode=str(record.exit_code), execDuration=str(seconds))
