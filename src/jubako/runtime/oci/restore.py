"""`restore`: a container of what `checkpoint` saved, from a bundle of ours.

What decides:  the bundle (mounts from outside, namespaces, group, limits, hooks); the images only fill it. They come
               from anywhere, so that their directory must be this user's, nothing in it names a path of the host, and
               what criu made of it is compared with the bundle before it runs (restored.py).
Crash:         as with `create`: the id is claimed first, then the group made; `delete --force` removes both, and all
               processes. criu's mounts are in a namespace of its own and go with it.
"""

from __future__ import annotations

import os
import re
import signal
import stat
from collections.abc import Callable
from contextlib import ExitStack, suppress

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.linux import fd as fds_of
from jubako.linux import mountns, openat2, proc
from jubako.linux.cgroup import CgroupHandle
from jubako.runtime.namespaces import file_of
from jubako.runtime.oci import bundle, caller, criu, ending, groups, hooks, restore_root, restored
from jubako.runtime.oci import criu_options as of
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Container, Containers, Record
from jubako.runtime.oci.criu import Notice, Options, Worker
from jubako.runtime.oci.lifecycle import Creation
from jubako.spec import clock, decoding
from jubako.spec.oci_runtime import Hooks, Linux, Spec

_PIPE = re.compile(r"pipe:\[\d+\]")
_DESCRIPTORS_BYTES = 4096


def restore(containers: Containers, asked: Creation, arguments: Arguments) -> int:
    """Returns when it runs (--detach), or the code with which it has ended."""
    criu.find()
    detached = arguments.given("detach")
    container, pid = _restore(containers, asked, arguments)
    if detached:
        return 0
    try:
        return _attend(pid)
    finally:
        ending.delete(container, force=True)


def _open_images(path: str) -> int:
    """The directory of a checkpoint. Raises FailedPrecondition for one that others can write to."""
    images = of.open_directory(path, make=False)
    status = os.fstat(images)
    if status.st_uid not in (0, os.geteuid()) or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        os.close(images)
        raise FailedPrecondition(f"{path}: others could change this checkpoint: it must be writable by its owner alone")
    return images


def _restore(containers: Containers, asked: Creation, arguments: Arguments) -> tuple[Container, int]:
    spec, config = bundle.load(asked.bundle, asked.log)
    _check(spec, asked, detached=arguments.given("detach"))
    options = of.common(arguments, spec.annotations)
    _add_own_options(options, arguments)
    _add_streams(options, of.image_path(arguments))
    linux = spec.linux or Linux()
    place, name = groups.of(linux, asked.name, systemd=asked.systemd)
    record = Record(asked.name, asked.bundle, clock.stamp(), name, place=place, annotations=spec.annotations)
    container = containers.make(record, config)
    with ExitStack() as undo:
        undo.callback(container.remove)
        group = container.manager().create(name, linux.resources)
        undo.callback(group.remove)
        undo.callback(ending.run_poststop, container, hooks.of(spec))
        undo.callback(ending.end, container)
        _run_criu(container, spec, group, asked, options, arguments)
        caller.write_pid_file(asked.pid_file, record.pid)
        undo.pop_all()
    group.close()
    return container, record.pid


def _check(spec: Spec, asked: Creation, *, detached: bool) -> None:
    hooks.of(spec)
    terminal = bool(spec.process and spec.process.terminal)
    if terminal and not detached:
        raise InvalidArgument("restore of a container with a terminal needs --detach and --console-socket")
    caller.check_console(terminal=terminal, detached=detached, socket=asked.console_socket)
    for namespace in (spec.linux or Linux()).namespaces:
        if namespace.type == "cgroup" and namespace.path:
            raise InvalidArgument("restore can not join the cgroup namespace of another container")


def _add_own_options(options: Options, arguments: Arguments) -> None:
    options.add("log_file", "restore.log")
    options.add("evasive_devices", True)
    options.add("rst_sibling", True)
    if profile := arguments.option("lsm-profile"):
        options.add("lsm_profile", profile)
    if arguments.option("lsm-mount-context"):
        raise InvalidArgument("--lsm-mount-context is not supported")


def _add_streams(options: Options, path: str) -> None:
    """Pipes that were the program's streams are this call's streams now; runc's rule."""
    images = _open_images(path)
    try:
        fd = openat2.open_regular(images, of.DESCRIPTORS, resolve=openat2.RESOLVE_BENEATH)
    except FileNotFoundError:
        raise FailedPrecondition(f"{of.DESCRIPTORS} is missing: this is no checkpoint of a container") from None
    finally:
        os.close(images)
    try:
        data = os.read(fd, _DESCRIPTORS_BYTES) if fd is not None else b""
    finally:
        fds_of.close_all([fd] if fd is not None else [])
    try:
        streams = decoding.decode(data, list[str])
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"{of.DESCRIPTORS}: {error}") from None
    for number, name in enumerate(streams[:3]):
        if _PIPE.fullmatch(name):
            options.add_pair("inherit_fd", name, number)


def _run_criu(
    container: Container, spec: Spec, group: CgroupHandle, asked: Creation, options: Options, arguments: Arguments
) -> None:
    with ExitStack() as opened:
        inherited = _add_namespaces(options, spec.linux or Linux(), opened)
        root = os.path.join(container.directory, "criu-root")
        os.mkdir(root, 0o700)
        with mountns.private():
            # criu mounts beneath its directory, so that must be of this namespace.
            _add_directories(options, arguments, spec.linux or Linux(), opened)
            restore_root.mount_root(spec, root)
            for place, source in of.external_mounts(spec, group, root):
                options.add_pair("ext_mnt", place, source)
            options.add_pair("ext_mnt", of.NULL, restore_root.null_device(spec.linux or Linux(), container.directory))
            worker = Worker(inherited, os.path.join(of.work_path(arguments), "restore.log"))
        opened.callback(worker.close)
        options.add("root", root)
        group.add(worker.pid)
        group.joined()
        for kinds, path in _groups_of(worker.pid):
            options.add_pair("cg_root", kinds, path)
        worker.perform(criu.RESTORE, options, _listener(container, spec, asked, worker.pid))
    os.rmdir(root)
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(container.directory, restore_root.NULL_DEVICE))


def _add_directories(options: Options, arguments: Arguments, linux: Linux, opened: ExitStack) -> None:
    images = _open_images(of.image_path(arguments))
    opened.callback(os.close, images)
    root_group = next((ids.host_id for ids in linux.gid_mappings if ids.container_id == 0), -1)
    if root_group >= 0:  # criu reads its images as root of the container's user namespace, too
        os.fchown(images, -1, root_group)
        os.fchmod(images, 0o710)
    work = of.open_directory(of.work_path(arguments), make=True)
    opened.callback(os.close, work)
    options.add("images_dir_fd", images)
    options.add("work_dir_fd", work)


def _add_namespaces(options: Options, linux: Linux, opened: ExitStack) -> list[int]:
    """Namespaces that are not the container's own; the fds of those that criu inherits."""
    inherited = []
    for namespace in linux.namespaces:
        if namespace.path and namespace.type in of.EXTERNAL_NAMESPACES:
            fd = fds_of.above_stdio(os.open(namespace.path, os.O_RDONLY | os.O_CLOEXEC))
            opened.callback(os.close, fd)
            inherited.append(fd)
            options.add_pair("inherit_fd", of.external_key(namespace.type), fd)
        elif namespace.path:
            options.add_pair("join_ns", file_of(namespace.type), namespace.path)
    return inherited


def _groups_of(pid: int) -> list[tuple[str, str]]:
    with open(f"/proc/{pid}/cgroup") as file:
        entries = [line.rstrip("\n").split(":", 2) for line in file]
    return [(kinds, path) for _, kinds, path in entries]


def _listener(container: Container, spec: Spec, asked: Creation, worker: int) -> Callable[[Notice], None]:
    record = container.record

    def notified(notice: Notice) -> None:
        match notice.script:
            case "setup-namespaces":
                record.pid, record.pid_start = notice.pid, proc.start_ticks(notice.pid) or 0
                container.save()
                restored.bring_loopback_up(record.pid, spec)
                _run_hooks(container, hooks.of(spec))
            case "orphan-pts-master":
                _send_master(asked.console_socket, notice.fds)
            case "pre-resume":  # all is there, and nothing of it runs
                try:
                    restored.check(container.group().pids(), record.pid, worker, spec)
                except FailedPrecondition:
                    container.group().kill_all()
                    raise

    return notified


def _run_hooks(container: Container, asked: Hooks) -> None:
    state = container.state(status="creating")
    hooks.run(asked.prestart, state, "prestart", container.record.bundle)
    hooks.run(asked.create_runtime, state, "createRuntime", container.record.bundle)


def _send_master(path: str, fds: list[int]) -> None:
    try:
        if path:
            connection = caller.connect(path)
            try:
                fds_of.send_fds(connection, b"/dev/ptmx", fds)
            finally:
                os.close(connection)
    finally:
        fds_of.close_all(fds)


def _attend(pid: int) -> int:
    """Stay with the first process, which is this process's child, and return its code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda received, _: os.kill(pid, received))
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return 128 - code if code < 0 else code
