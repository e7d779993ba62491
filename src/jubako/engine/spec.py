"""From a container's record to its OCI runtime specification: Docker's defaults, then the options."""

from __future__ import annotations

import os
from collections.abc import Sequence

from jubako.engine import devices, resources, security
from jubako.engine.drivers import Drivers
from jubako.engine.options import CreateOptions
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.errors import FailedPrecondition, InvalidArgument, NotFound
from jubako.runtime import defaults
from jubako.runtime.rlimits import rlimit
from jubako.runtime.users import Identity
from jubako.spec.oci_runtime import (
    Capabilities,
    Linux,
    Mount,
    Namespace,
    Process,
    Root,
    Spec,
    User,
)

_INIT = "/sbin/docker-init"


def compile_spec(drivers: Drivers, record: ContainerRecord, identity: Identity, mounts: Sequence[Mount]) -> Spec:
    """The specification of one start. `mounts` are the container's own files and volumes, parents first."""
    options = record.options
    choice = security.parse(options.security_opt)
    exposed = options.privileged or choice.unmask
    limits = resources.compile_resources(options)
    nodes = devices.compile_devices(options, limits.devices)
    return Spec(
        hostname=hostname(record),
        domainname=options.domainname,
        root=Root(path="rootfs", readonly=options.read_only),
        process=process(record, identity, choice),
        mounts=[*_base_mounts(drivers, options), *_init(options), *mounts],
        annotations=dict(options.annotations),
        linux=Linux(
            namespaces=namespaces(drivers, record),
            resources=limits,
            devices=nodes,
            sysctl=_sysctls(options),
            masked_paths=[] if exposed else list(defaults.MASKED_PATHS),
            readonly_paths=[] if exposed else list(defaults.READONLY_PATHS),
            cgroups_path=record.cgroup,
        ),
    )


def _init(options: CreateOptions) -> list[Mount]:
    """Process 1 of --init: the executor's own file, read-only (CVE-2019-5736)."""
    if not options.init:
        return []
    from jubako.runtime import program

    how = ["bind", "ro", "rprivate", "nosuid", "nodev"]
    return [Mount(destination=_INIT, type="bind", source=program.path(), options=how)]


def hostname(record: ContainerRecord) -> str:
    """Its own, or the host's where the uts namespace is that one's."""
    if record.options.uts == "host" or (record.options.network == "host" and not record.options.hostname):
        return os.uname().nodename
    return record.hostname


def process(record: ContainerRecord, identity: Identity, choice: security.SecurityOptions) -> Process:
    """The first process: capabilities reach the effective set only for root, as Docker has it."""
    names = security.capabilities(record.options)
    held = names if identity.uid == 0 else []
    return Process(
        terminal=record.options.tty,
        user=User(uid=identity.uid, gid=identity.gid, additional_gids=identity.groups),
        args=[_INIT, "--", *record.args] if record.options.init else record.args,
        env=environment(record, identity, tty=record.options.tty),
        cwd=record.workdir,
        capabilities=Capabilities(bounding=names, effective=held, permitted=held),
        rlimits=[rlimit(text) for text in record.options.ulimits],
        no_new_privileges=choice.no_new_privileges,
        oom_score_adj=record.options.oom_score_adj,
    )


def environment(record: ContainerRecord, identity: Identity, *, tty: bool) -> list[str]:
    """PATH, HOSTNAME and TERM first, then the image's and the caller's, and HOME unless it is given."""
    own = {text.partition("=")[0] for text in record.env}
    first = [] if "HOSTNAME" in own else [f"HOSTNAME={hostname(record)}"]
    if tty and "TERM" not in own:
        first.append("TERM=xterm")
    last = [] if "HOME" in own else [f"HOME={identity.home}"]
    path = [text for text in record.env if text.startswith("PATH=")]
    rest = [text for text in record.env if not text.startswith("PATH=")]
    return [*path, *first, *rest, *last]


def _base_mounts(drivers: Drivers, options: CreateOptions) -> list[Mount]:
    mounts = []
    for mount in defaults.mounts(privileged=options.privileged):
        if mount.destination == "/dev/shm" and options.ipc.startswith("pod:"):
            from jubako.engine.pods import members

            mount = members.shared_memory(drivers, options.pod)
        elif mount.destination == "/dev/shm":
            mount.options = [*(o for o in mount.options if not o.startswith("size=")), f"size={options.shm_size}"]
        mounts.append(mount)
    return mounts


def _sysctls(options: CreateOptions) -> dict[str, str]:
    shares = options.network == "host" or ":" in options.network
    # A group range needs the groups, and a user namespace maps only some.
    own = {} if shares or options.userns not in ("", "host") else defaults.network_sysctls()
    return {**own, **options.sysctls}


def namespaces(drivers: Drivers, record: ContainerRecord) -> list[Namespace]:
    """New ones, and those of the host or of another container where the options say so."""
    options = record.options
    wanted = {"mount": "", "uts": options.uts, "ipc": options.ipc, "pid": options.pid, "cgroup": options.cgroupns}
    wanted["network"] = options.network if options.network == "host" or ":" in options.network else ""
    found = []
    for kind, mode in wanted.items():
        if mode in ("", "private", "shareable", "none"):
            found.append(Namespace(type=kind))
        elif mode.startswith("pod:"):
            from jubako.engine.pods import members

            found.append(Namespace(type=kind, path=members.namespace(drivers, options.pod, kind)))
        elif mode.startswith("container:"):
            found.append(Namespace(type=kind, path=_namespace_of(drivers, mode.partition(":")[2], kind)))
        elif mode != "host":
            raise InvalidArgument(f"invalid {kind} mode: {mode}")
    return found


def _namespace_of(drivers: Drivers, container_id: str, kind: str) -> str:
    other = drivers.containers.find(container_id)
    if not other:
        raise NotFound("container", container_id)
    if other.phase != RUNNING:
        raise FailedPrecondition(f"cannot join {kind} namespace of a non running container: {container_id}")
    return f"/proc/{other.pid}/ns/{'net' if kind == 'network' else kind}"
