"""Health checks and further probes of a container: what is asked, what the monitor is told, what came of it.

Model:        the container's monitor performs the commands by its own timer (runtime.probe); no process of ours stays
              for them. When a status changes it runs `jubako health ID`, which emits the event and acts on it.
Spec:         Docker's HEALTHCHECK and --health-*; Kubernetes' thresholds and delays for probes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_container
from jubako.engine.options import CreateOptions, ProbeOptions
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import InvalidArgument
from jubako.runtime import probe
from jubako.runtime.executor import Handle
from jubako.runtime.health import STARTING, UNHEALTHY, Health
from jubako.runtime.launch import Launch
from jubako.runtime.opcodes import PROBES_MAX
from jubako.runtime.probe import Timing
from jubako.spec import clock
from jubako.spec.oci_image import ContainerConfig, Healthcheck
from jubako.spec.oci_runtime import Linux, Spec

CHECK = "health"
"""The name of the probe that is Docker's health check."""
ON_FAILURE = ("none", "kill", "restart", "stop")
_SECOND_NS = 1_000_000_000
_LEAST_NS = 1_000_000


def resolve(options: CreateOptions, config: ContainerConfig) -> Healthcheck | None:
    """The image's check with what the options say over it; None where there is none. Raises InvalidArgument."""
    asked, own = options.healthcheck or Healthcheck(), config.healthcheck or Healthcheck()
    named = Healthcheck(
        test=asked.test or own.test,
        interval=asked.interval or own.interval,
        timeout=asked.timeout or own.timeout,
        start_period=asked.start_period or own.start_period,
        start_interval=asked.start_interval or own.start_interval,
        retries=asked.retries or own.retries,
    )
    _check(named)
    if not named.test or named.test[0] == "NONE":
        return None
    if named.test[0] not in ("CMD", "CMD-SHELL") or len(named.test) < 2:
        raise InvalidArgument(f"Unknown healthcheck type '{named.test[0]}' (expected 'CMD')")
    return named


def _check(check: Healthcheck) -> None:
    times = {
        "Interval": check.interval,
        "Timeout": check.timeout,
        "StartPeriod": check.start_period,
        "StartInterval": check.start_interval,
    }
    for name, value in times.items():
        if value and value < _LEAST_NS:
            raise InvalidArgument(f"{name} in Healthcheck cannot be less than 1ms")
    if check.retries < 0:
        raise InvalidArgument("Retries in Healthcheck cannot be negative")


def validate(options: CreateOptions) -> None:
    """Refuse probes that can not be; raises InvalidArgument."""
    if options.health_on_failure not in ON_FAILURE:
        raise InvalidArgument(f"invalid action on failure of a health check: {options.health_on_failure}")
    names = [CHECK]
    for each in options.probes:
        if not each.command or each.name in names or "/" in each.name or not each.name.strip("."):
            raise InvalidArgument(f"probe {each.name!r} needs a name of its own and a command")
        if each.after and each.after not in names[1:]:
            raise InvalidArgument(f"probe {each.name} is to come after {each.after}, which does not stand before it")
        names.append(each.name)
    if len(names) > PROBES_MAX:
        raise InvalidArgument(f"a container has at most {PROBES_MAX - 1} probes")


def install(drivers: Drivers, record: ContainerRecord, handle: Handle, launch: Launch) -> None:
    """Tell the monitor, before START, what to perform."""
    for asked in record.options.probes:
        names = [each.name for each in record.options.probes]
        timing = Timing(
            delay_ns=asked.delay_ns,
            interval_ns=asked.interval_ns,
            timeout_ns=asked.timeout_ns,
            failures=asked.failures,
            successes=asked.successes,
            after=names.index(asked.after) if asked.after else -1,
        )
        _add(drivers, record, handle, launch, asked, timing)
    if check := record.healthcheck:
        command = _command(record, check)
        _add(drivers, record, handle, launch, ProbeOptions(name=CHECK, command=command), _timing(check))


def _timing(check: Healthcheck) -> Timing:
    interval, often = check.interval or 30 * _SECOND_NS, check.start_interval or 5 * _SECOND_NS
    return Timing(
        delay_ns=often if check.start_period else interval,
        interval_ns=interval,
        timeout_ns=check.timeout or 30 * _SECOND_NS,
        start_period_ns=check.start_period,
        start_interval_ns=often if check.start_period else 0,
        failures=check.retries or 3,
    )


def _command(record: ContainerRecord, check: Healthcheck) -> list[str]:
    kind, *words = check.test or []
    return words if kind == "CMD" else [*(record.shell or ["/bin/sh", "-c"]), words[0]]


def _add(
    drivers: Drivers, record: ContainerRecord, handle: Handle, launch: Launch, asked: ProbeOptions, timing: Timing
) -> None:
    process = launch.spec.process
    linux = launch.spec.linux or Linux()
    assert process, "a container has a process"
    own_dir = directory(drivers, record.id, asked.name)
    own_dir.mkdir(parents=True, mode=0o700)
    further = Launch(
        spec=Spec(
            process=msgspec.structs.replace(process, args=asked.command, terminal=False, console_size=None),
            linux=Linux(namespaces=linux.namespaces),
        ),
        run_dir=own_dir,
        cgroup=launch.cgroup,
        seccomp=launch.seccomp,
    )
    probe.add(handle, further, timing)


def directory(drivers: Drivers, container_id: str, name: str) -> Path:
    """Where the monitor writes what came of a probe."""
    return drivers.run_dir(container_id) / "probes" / name


def of(drivers: Drivers, record: ContainerRecord, name: str = CHECK) -> Health | None:
    """What came of the health check, or of the probe `name`; None for a container that has none or never ran."""
    if name == CHECK and record.phase != RUNNING:
        return record.health
    if record.phase != RUNNING or (name == CHECK and not record.healthcheck):
        return None
    return probe.read(directory(drivers, record.id, name))


def document(health: Health) -> dict[str, Any]:
    """Docker's State.Health."""
    return {
        "Status": health.status,
        "FailingStreak": health.failing_streak,
        "Log": [
            {
                "Start": clock.stamp(result.start_ns),
                "End": clock.stamp(result.end_ns),
                "ExitCode": result.code,
                "Output": "Health check exceeded timeout" if result.late else result.text,
            }
            for result in health.log
        ],
    }


def notice(drivers: Drivers, container_id: str) -> str:
    """A status has changed: emit what is new; returns what is to be done about an unhealthy container (ON_FAILURE)."""
    with drivers.store.records.transaction():
        record = drivers.containers.find(container_id)
        if record is None or record.phase != RUNNING or record.stopped_by_user:
            return "none"
        names = [each.name for each in record.options.probes] + ([CHECK] if record.healthcheck else [])
        found = {name: probe.read(directory(drivers, container_id, name)).status for name in names}
        changed = {name: status for name, status in found.items() if record.probed.get(name, STARTING) != status}
        if not changed:
            return "none"
        record.probed = found
        drivers.records_of(record).replace(container_id, record)
        for name, status in changed.items():
            emit_container(drivers, record, f"health_status: {status}" if name == CHECK else f"probe: {name} {status}")
    return record.options.health_on_failure if changed.get(CHECK) == UNHEALTHY else "none"
