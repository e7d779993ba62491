"""From options to the record of a new pod. Nothing of the kernel is made before its first container, or `start`."""

from __future__ import annotations

import time

from jubako.engine import limits, names, ordinary
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit
from jubako.engine.pods import sandbox
from jubako.engine.pods.record import IPC, NET, PID, UTS, PodID, PodOptions, PodRecord
from jubako.errors import AlreadyExists, InvalidArgument
from jubako.network import publish

_KINDS = (NET, IPC, UTS, PID)


def create(drivers: Drivers, options: PodOptions) -> PodRecord:
    """Record a new pod; raises InvalidArgument, NotFound (network), AlreadyExists (name)."""
    ordinary.refuse("a pod")
    _validate(drivers, options)
    record = PodRecord(
        id=PodID(names.new_id()),
        name=names.check(options.name) if options.name else names.suggest(),
        created_ns=time.time_ns(),
        options=options,
    )
    sandbox.sysctls(record)
    with drivers.pod_places.making(record.id):
        _insert(drivers, record, named=options.name is not None)
    return record


def _insert(drivers: Drivers, record: PodRecord, *, named: bool) -> None:
    for attempt in range(20):
        try:
            with drivers.store.records.transaction():
                drivers.pods.insert(record.id, record, unique=[record.name])
                note(drivers, record, "create")
            return
        except AlreadyExists as error:
            if named:
                message = f'the pod name "{record.name}" is already in use by pod "{error.holder}"'
                raise AlreadyExists("pod", record.name, holder=error.holder, message=message) from None
            record.name = names.suggest(attempt)
    raise AlreadyExists("pod", record.name)


def note(drivers: Drivers, record: PodRecord, action: str) -> None:
    """Emit a pod's message, in the caller's transaction."""
    emit(drivers, "pod", action, record.id, {"name": record.name, **record.options.labels})


def _validate(drivers: Drivers, options: PodOptions) -> None:
    limits.validate(options)
    for kind in [*options.share, *options.host]:
        if kind not in _KINDS:
            raise InvalidArgument(
                f"invalid namespace to share in a pod: {kind}", hint="there are net, ipc, uts and pid"
            )
    for kind in options.host:
        if kind in options.share or kind == NET:
            raise InvalidArgument(f"a pod cannot both share a {kind} namespace of its own and be in the host's")
    if ":" in options.network:
        raise InvalidArgument(f"a pod cannot have the network {options.network}")
    if NET not in options.share and (options.publish or options.network != "bridge"):
        raise InvalidArgument("a pod that does not share a network namespace has no network and publishes nothing")
    if options.publish and options.network in ("host", "none"):
        raise InvalidArgument(f"a pod with the network {options.network} cannot publish ports")
    if NET in options.share and options.network not in ("host", "none"):
        drivers.networks.get(options.network)
    for text in options.publish:
        publish.parse(text)
