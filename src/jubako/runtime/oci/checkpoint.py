"""`checkpoint`: criu saves a running container, which then is deleted unless it is to go on.

Beside criu's images the directory gets descriptors.json, which says what the first process's streams are: at restore
pipes are replaced by those of the restoring call.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import ExitStack

import msgspec

from jubako.errors import FailedPrecondition, InvalidArgument
from jubako.runtime.namespaces import file_of
from jubako.runtime.oci import criu, ending
from jubako.runtime.oci import criu_options as of
from jubako.runtime.oci.arguments import Arguments
from jubako.runtime.oci.containers import Container
from jubako.runtime.oci.criu import Notice, Options
from jubako.spec.oci_runtime import Linux, Spec

_END_TIMEOUT_S = 10.0


def checkpoint(container: Container, arguments: Arguments) -> None:
    """Raises FailedPrecondition when it does not run, or criu can not do it: then it goes on as it was."""
    criu.find()
    status = container.status()
    if status not in ("running", "paused"):
        raise FailedPrecondition(f"Container cannot be checkpointed in {status} state")
    pre_dump = arguments.given("pre-dump")
    _check_features(arguments, pre_dump=pre_dump)
    stays = pre_dump or arguments.given("leave-running")
    if status == "paused":  # criu stops the processes itself, and could not stop those
        container.group().thaw()
    try:
        _dump(container, arguments, criu.PRE_DUMP if pre_dump else criu.DUMP)
    except BaseException:
        stays = True
        raise
    finally:
        if stays and status == "paused":
            container.group().freeze()
    if not stays:
        _delete(container)


def _check_features(arguments: Arguments, *, pre_dump: bool) -> None:
    if pre_dump:
        criu.require(criu.MEMORY_TRACKING, "--pre-dump")
    if arguments.given("lazy-pages"):
        criu.require(criu.LAZY_PAGES, "--lazy-pages")


def _dump(container: Container, arguments: Arguments, kind: int) -> None:
    options = of.common(arguments, container.record.annotations)
    _add_own_options(options, arguments)
    status_fd = _status_fd(arguments)
    with ExitStack() as opened:
        images = of.open_directory(of.image_path(arguments), make=True)
        opened.callback(os.close, images)
        work = of.open_directory(of.work_path(arguments), make=True)
        opened.callback(os.close, work)
        options.add("images_dir_fd", images)
        options.add("work_dir_fd", work)
        options.add("log_file", "dump.log")
        _add_container(options, container, container.spec(), images)
        worker = criu.Worker(log=os.path.join(of.work_path(arguments), "dump.log"))
        opened.callback(worker.close)
        worker.perform(kind, options, lambda notice: _notified(notice, status_fd))


def _add_own_options(options: Options, arguments: Arguments) -> None:
    options.add("leave_running", arguments.given("leave-running"))
    if parent := arguments.option("parent-path"):
        options.add("parent_image", _checked_parent(of.image_path(arguments), parent))
        options.add("track_mem", True)
    if server := arguments.option("page-server"):
        address, _, port = server.rpartition(":")
        if not address or not port.isdecimal():
            raise InvalidArgument("Use --page-server ADDRESS:PORT to specify page server")
        options.add_pair("page_server", address.strip("[]"), int(port))


def _checked_parent(images: str, parent: str) -> str:
    """The images of an earlier --pre-dump, which these are to be a difference to."""
    if os.path.isabs(parent):
        raise InvalidArgument("--parent-path must be relative")
    os.makedirs(images, mode=0o700, exist_ok=True)  # what is relative to it can be looked at then
    if not os.path.isdir(os.path.join(images, parent)):
        raise InvalidArgument(f"invalid --parent-path: {os.path.join(images, parent)}: no such directory")
    return parent


def _status_fd(arguments: Arguments) -> int:
    """Where a byte tells that the server of lazy pages is ready; -1 for nowhere."""
    text = arguments.option("status-fd")
    if not text:
        return -1
    try:
        if fcntl.fcntl(int(text), fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise InvalidArgument(f"invalid --status-fd argument {text}: not writable")
    except (OSError, ValueError, OverflowError) as error:
        raise InvalidArgument(f"invalid --status-fd argument {text}: {error}") from None
    return int(text)


def _add_container(options: Options, container: Container, spec: Spec, images: int) -> None:
    """What criu must know of it, and descriptors.json."""
    pid = container.record.pid
    options.add("pid", pid)
    options.add("root", spec.root.path if spec.root else "/")
    for namespace in (spec.linux or Linux()).namespaces:
        if namespace.path and namespace.type in of.EXTERNAL_NAMESPACES:
            name, inode = file_of(namespace.type), os.stat(namespace.path).st_ino
            options.add("external", f"{name}[{inode}]:{of.external_key(namespace.type)}")
    group = container.group() if container.record.cgroup else None
    root = f"/proc/{pid}/root"
    for place, _ in of.external_mounts(spec, group, root):
        options.add_pair("ext_mnt", place, place)
    for path in (spec.linux or Linux()).masked_paths:
        if os.path.exists(root + path) and not os.path.isdir(root + path):
            options.add_pair("ext_mnt", of.resolved(root, path), of.NULL)
    streams = [os.readlink(f"/proc/{pid}/fd/{fd}") if os.path.islink(f"/proc/{pid}/fd/{fd}") else "" for fd in range(3)]
    _write(images, of.DESCRIPTORS, msgspec.json.encode(streams))


def _write(directory: int, name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
        file.write(data)


def _notified(notice: Notice, status_fd: int) -> None:
    if notice.script == "status-ready" and status_fd >= 0:
        os.write(status_fd, b"\0")
        os.close(status_fd)


def _delete(container: Container) -> None:
    """criu has killed it; its parent may yet have to notice."""
    deadline = time.monotonic() + _END_TIMEOUT_S
    while container.alive() and time.monotonic() < deadline:
        time.sleep(0.002)
    ending.delete(container, force=False)
