"""The containers of a pod: what they take over from it, who they are, and that they end with it.

Attempts:     a member that has ended begins anew as a further container: with a fresh root filesystem, while the logs
              of the attempts before it are kept until those are removed. `attempts` lists them, newest first.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress

import msgspec

from jubako.engine import stopping
from jubako.engine.drivers import Drivers, look_up
from jubako.engine.options import PLACE, CreateOptions
from jubako.engine.pods import sandbox
from jubako.engine.pods.record import IPC, NET, PID, REMOVING, UTS, PodRecord
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import FailedPrecondition, InvalidArgument, NotFound
from jubako.runtime import state
from jubako.spec.oci_runtime import Mount


def join(drivers: Drivers, options: CreateOptions) -> CreateOptions:
    """The options of a container with those that its pod decides filled in; raises InvalidArgument for a conflict."""
    pod = look_up(drivers.pods, options.pod)
    shared = dict.fromkeys(pod.kept, f"pod:{pod.id}") | dict.fromkeys(pod.options.host, "host")
    if NET in pod.options.share:
        _refuse(options)
        shared[NET] = shared.get(NET, "host")
    is_named = shared.get(UTS, "host") != "host"
    found = msgspec.structs.replace(
        options,
        pod=pod.id,
        network=shared.get(NET, options.network),
        hostname=pod.hostname if is_named else options.hostname,
        domainname=pod.options.domainname if is_named else options.domainname,
        ipc=options.ipc or shared.get(IPC, ""),
        uts=options.uts or shared.get(UTS, ""),
        pid=options.pid or shared.get(PID, ""),
    )
    return _named(drivers, pod, found) if options.member else found


def _refuse(options: CreateOptions) -> None:
    defaults = CreateOptions(image=options.image)
    for name in PLACE:
        if getattr(options, name) != getattr(defaults, name):
            raise InvalidArgument(f"{name.replace('_', ' ')} is set for the pod, and not for a container in it")


def _named(drivers: Drivers, pod: PodRecord, options: CreateOptions) -> CreateOptions:
    earlier = attempts(drivers, pod.id, options.member)
    attempt = options.attempt or (earlier[0].options.attempt + 1 if earlier else 0)
    name = options.name or f"{pod.name}-{options.member}-{attempt}"
    return msgspec.structs.replace(options, attempt=attempt, name=name)


def check_pod(drivers: Drivers, pod_id: str) -> None:
    """In the transaction that records a member: the pod is there, and not about to go."""
    if drivers.pods.get(pod_id).phase == REMOVING:
        raise FailedPrecondition(f"pod {pod_id} is being removed")


def of(drivers: Drivers, pod_id: str) -> list[ContainerRecord]:
    """The containers of a pod, oldest first, as their records say."""
    found = (record for _, record in drivers.containers.holding(f"{pod_id}/"))
    return sorted(found, key=lambda record: record.created_ns)


def attempts(drivers: Drivers, pod_id: str, member: str) -> list[ContainerRecord]:
    """All containers that were `member` of the pod, the newest first."""
    return [record for record in reversed(of(drivers, pod_id)) if record.options.member == member]


def stop_all(drivers: Drivers, pod_id: str, timeout_s: float | None) -> None:
    """End every member: all at once are told to, then each is waited for. None of them is restarted."""
    with ExitStack() as awaited:
        for record in of(drivers, pod_id):
            stopping.note_stopped_by_user(drivers, record)
            if record.phase == RUNNING:
                awaited.enter_context(state.awaited(drivers.run_dir(record.id)))
                stopping.send_stop_signal(drivers, record)
        for record in of(drivers, pod_id):
            with suppress(NotFound):
                stopping.stop(drivers, record.id, timeout_s)


def hold_ports(drivers: Drivers, record: ContainerRecord) -> list[int]:
    """Sockets on the pod's published ports, for a member's monitor: those that no other member holds."""
    return drivers.networks.hold(record.options.pod)


def namespace(drivers: Drivers, pod_id: str, kind: str) -> str:
    """The path of a pinned namespace; `kind` as the runtime specification has it."""
    return str(drivers.pod_places.run_dir(pod_id) / (NET if kind == "network" else kind))


def shared_memory(drivers: Drivers, pod_id: str) -> Mount:
    """/dev/shm of all that share the pod's IPC namespace."""
    source = str(sandbox.shared_memory(drivers.pod_places.run_dir(pod_id)))
    how = ["rbind", "rprivate", "nosuid", "nodev", "noexec"]
    return Mount(destination="/dev/shm", type="bind", source=source, options=how)
