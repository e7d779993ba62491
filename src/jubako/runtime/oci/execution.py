"""exec: one more process in a running container."""

from __future__ import annotations

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime import executor
from jubako.runtime.launch import Launch
from jubako.runtime.oci import bundle, caller, inheritance, lifecycle, subgroups
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Container
from jubako.runtime.oci.log import Log
from jubako.spec import decoding
from jubako.spec.oci_runtime import Capabilities, Process, Spec, User

_DIGITS_MAX = 10  # of an id


def execute(container: Container, arguments: Arguments, log: Log) -> int:
    """Run the process; returns its exit code, or 0 at once when detached."""
    status = container.status()
    if status == "paused" and not arguments.given("ignore-paused"):
        raise FailedPrecondition("cannot exec in a paused container (use --ignore-paused to override)")
    if status not in ("created", "running", "paused"):
        raise FailedPrecondition(f"cannot exec in a {status} container")
    spec = container.spec()
    process = process_of(spec, arguments)
    bundle.complete_process(process, (f"/proc/{container.record.pid}/root", "etc/passwd"), log)
    sockets = inheritance.listening()
    process.env += inheritance.environment(sockets)
    preserve_fds = inheritance.preserved(arguments.option("preserve-fds", "0"), sockets)
    detach, console = arguments.given("detach"), arguments.option("console-socket")
    caller.check_console(terminal=process.terminal, detached=detach, socket=console)
    if process.terminal and not detach:
        caller.fit_terminal(process)
    with container.exec_directory() as run_dir:
        launch = Launch(
            spec=msgspec.structs.replace(spec, process=process),
            run_dir=run_dir,
            cgroup=_group(container, subgroups.parse(arguments.lists.get("cgroup", []))),
            seccomp=lifecycle.seccomp_filter(container, spec, status, pid=container.record.pid),
            stdio="inherit",
            stdin=process.terminal,
            plain_lines=process.terminal and not detach,
            attach=process.terminal and not detach and not console,
            console_socket=caller.connect(console) if console else -1,
            leave=detach,
            preserve_fds=preserve_fds,
        )
        handle = executor.exec_(container.record.pid, launch)
        if detach:
            handle.release()
            _tell(handle.pid, arguments)
            return 0
        try:
            # Until it has started, the pid is that of a deputy.
            return lifecycle.attend(handle, started=lambda: _tell(handle.pid, arguments))
        finally:
            handle.abandon()


def _tell(pid: int, arguments: Arguments) -> None:
    caller.tell(pid, pid_file=arguments.option("pid-file"), pidfd_socket=arguments.option("pidfd-socket"))


def _group(container: Container, paths: dict[str, str]) -> CgroupHandle | None:
    if container.record.cgroup:
        return container.group().below(paths)
    if paths:
        raise FailedPrecondition(f"--cgroup: container {container.record.id} has no cgroup of its own")
    return None


def process_of(spec: Spec, arguments: Arguments) -> Process:
    """--process FILE, or the container's own process with what the options change."""
    if path := arguments.option("process"):
        return _read(path, tty=arguments.given("tty"))
    base = spec.process or Process()
    words, tty = arguments.words[1:], arguments.given("tty")
    process = msgspec.structs.replace(base, args=words, terminal=tty, console_size=None)
    process.env = [*base.env, *arguments.lists.get("env", [])]
    process.cwd = arguments.option("cwd") or base.cwd
    process.no_new_privileges = base.no_new_privileges or arguments.given("no-new-privs")
    process.selinux_label = arguments.option("process-label") or base.selinux_label
    process.apparmor_profile = arguments.option("apparmor") or base.apparmor_profile
    if user := arguments.option("user"):
        process.user = _user(process.user, user)
    process.user.additional_gids += [
        _id(text, "additional-gids") for text in arguments.lists.get("additional-gids", [])
    ]
    if names := arguments.lists.get("cap"):
        process.capabilities = _with(process.capabilities or Capabilities(), names)
    return process


def _read(path: str, *, tty: bool) -> Process:
    with open(path, "rb") as file:
        data = file.read()
    try:
        process = decoding.decode(data, Process)
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"{path}: {error}") from None
    process.terminal = process.terminal or tty
    return process


def _user(base: User, text: str) -> User:
    """With the groups and the umask of the container's own user, as runc has it."""
    uid, _, gid = text.partition(":")
    return msgspec.structs.replace(base, uid=_id(uid, "user", text), gid=_id(gid, "user", text) if gid else base.gid)


def _id(text: str, option: str, whole: str = "") -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX and int(text) < (1 << 32) - 1):
        raise InvalidArgument(f"invalid {option}: {(whole or text)[:64]}")
    return int(text)


def _with(base: Capabilities, names: list[str]) -> Capabilities:
    """As runc: into every set but the inheritable one, CVE-2022-29162; what that has becomes ambient, too."""
    return msgspec.structs.replace(
        base,
        ambient=list(dict.fromkeys([*base.ambient, *(name for name in names if name in base.inheritable)])),
        bounding=list(dict.fromkeys([*base.bounding, *names])),
        effective=list(dict.fromkeys([*base.effective, *names])),
        permitted=list(dict.fromkeys([*base.permitted, *names])),
    )
