"""One more process in a running container."""

from __future__ import annotations

import os

import msgspec

from jubako.engine import lifecycle, ordinary, process, security
from jubako.engine.drivers import Drivers
from jubako.engine.events import emit_container
from jubako.engine.group import group_of
from jubako.engine.options import check_types
from jubako.engine.record import RUNNING, ContainerRecord
from jubako.engine.spec import environment, namespaces
from jubako.engine.start import seccomp_program
from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.runtime import executor, users
from jubako.runtime.executor import Handle, Launch
from jubako.runtime.users import Identity
from jubako.spec.oci_runtime import Capabilities, Linux, Process, Spec, User


class ExecOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `docker exec`; `user` and `workdir` are the container's own when empty."""

    command: list[str]
    env: list[str] = []
    user: str = ""
    workdir: str = ""
    tty: bool = False
    stdin: bool = False
    attach: bool = True
    privileged: bool = False


def exec_(drivers: Drivers, text: str, options: ExecOptions) -> Handle:
    """Start a process in the namespaces, the cgroup and the root of a running container.

    Raises FailedPrecondition when the container does not run, NotFound or PermissionDenied for the command.
    """
    check_types(options)
    record = lifecycle.get(drivers, text)
    if record.phase != RUNNING:
        raise FailedPrecondition(f"container {record.id} is not running")
    if record.paused:
        raise FailedPrecondition(f"Container {text} is paused, unpause the container before exec")
    if not options.command:
        raise InvalidArgument("No exec command specified")
    run_dir = drivers.run_dir(record.id)
    own_dir = run_dir / "exec" / os.urandom(8).hex()
    own_dir.mkdir(parents=True, mode=0o700)
    with process.held(run_dir) as pid, process.opened_root(run_dir) as root_fd:
        identity = users.resolve(root_fd, options.user or record.user, [] if options.user else record.options.group_add)
        linux = Linux(namespaces=namespaces(drivers, record))
        launch = Launch(
            spec=Spec(process=_process(record, identity, options), linux=linux),
            run_dir=own_dir,
            cgroup=group_of(record),
            seccomp=seccomp_program(drivers, record, _capabilities(record, options)),
            stdin=options.stdin,
            attach=options.attach,
            keep_fds=ordinary.kept(),
            # Nobody waits for an exec that was detached: its monitor takes its directory away.
            cleanup=["/bin/rm", "-rf", "--", str(own_dir)],
        )
        handle = executor.exec_(pid, launch)
    try:
        handle.start()
    except BaseException:
        handle.abandon()
        raise
    with drivers.store.records.transaction():
        emit_container(drivers, record, f"exec_start: {' '.join(options.command)}")
    return handle


def _capabilities(record: ContainerRecord, options: ExecOptions) -> list[str]:
    if options.privileged:
        return security.capabilities(msgspec.structs.replace(record.options, privileged=True))
    return security.capabilities(record.options)


def _process(record: ContainerRecord, identity: Identity, options: ExecOptions) -> Process:
    names = _capabilities(record, options)
    held = names if identity.uid == 0 else []
    given = {item.partition("=")[0] for item in options.env}
    inherited = [item for item in environment(record, identity, tty=options.tty) if item.partition("=")[0] not in given]
    return Process(
        terminal=options.tty,
        user=User(uid=identity.uid, gid=identity.gid, additional_gids=identity.groups),
        args=options.command,
        env=[*inherited, *options.env],
        cwd=options.workdir or record.workdir,
        capabilities=Capabilities(bounding=names, effective=held, permitted=held),
        no_new_privileges=security.parse(record.options.security_opt).no_new_privileges,
        oom_score_adj=record.options.oom_score_adj,
    )
