"""Whose process is it: what a call inherits from its caller, compared with what it would inherit from the keeper.

All of it is read from the kernel, about the process at the other end of the connection. A process that the same user
confined (no_new_privs, seccomp, fewer capabilities, other namespaces) can so not use the keeper to get out.
"""

from __future__ import annotations

import os
import resource
import select
import socket
import struct

SO_PEERPIDFD = 77  # asm-generic/socket.h, Linux 6.5
# `for_children` are the namespaces that a child would be in.
NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts")
# Runs of lines of /proc/<pid>/status, each with the line that ends it: uids and gids, groups, then capabilities,
# no_new_privs, seccomp, speculation and the processors and memory nodes allowed.
CREDENTIALS = (("Uid:", "FDSize:"), ("Groups:", "NStgid:"), ("CapInh:", "voluntary_ctxt_switches:"))
# One line of text each; absent where the kernel was built without the feature.
TEXTS = ("cgroup", "loginuid", "attr/current")
CGROUP = len(CREDENTIALS) + len(NAMESPACES)  # where the first of them stands in Context.same
LIMITS = tuple(sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}))


class Differs(Exception):
    """The call must run cold; the argument says why."""


class Context:
    """What stands in /proc of one process. `same` must be the keeper's; umask, signals and limits are taken over."""

    __slots__ = ("ignored", "limits", "oom_score_adj", "pid", "same", "umask")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        proc = os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            status = _read(proc, "status")
            self.same = [_between(status, first, end) for first, end in CREDENTIALS]
            self.same += [_namespace(proc, name) for name in NAMESPACES]
            self.same += [_read(proc, name) for name in TEXTS]
            root = os.stat("root/", dir_fd=proc)
            self.same.append(f"{root.st_dev} {root.st_ino}")
            self.umask = int(_between(status, "Umask:", "State:")[6:], 8)
            self.ignored = int(_between(status, "SigIgn:", "SigCgt:")[7:], 16)
            self.limits = _read(proc, "limits")
            self.oom_score_adj = _read(proc, "oom_score_adj")
        finally:
            os.close(proc)

    @property
    def groups(self) -> str:
        """The text of /proc/<pid>/cgroup."""
        return self.same[CGROUP]

    def refresh(self) -> None:
        """Read again what somebody else may have changed while this process waited."""
        self.same[CGROUP] = _read(None, f"/proc/{self.pid}/cgroup")


def caller_of(connection: socket.socket) -> Context:
    """Return the context of the process that connected; Differs when it can not be known for sure."""
    pid, uid, _gid = _credentials(connection)
    if uid != os.geteuid():
        raise Differs("user")
    pidfd = _pidfd(connection, pid)
    try:
        context = Context(pid)
        # The pidfd's process lives, so all of the above was said of it and not of a later holder of its pid.
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if poll.poll(0):
            raise Differs("gone")
    except (OSError, KeyError, ValueError) as error:
        raise Differs("unreadable") from error
    finally:
        os.close(pidfd)
    return context


def require_same(caller: Context, own: Context, *, any_group: bool = False) -> None:
    """Raise Differs unless a child of `own` is what a child of `caller` would be, but for its group if `any_group`."""
    for index, (theirs, ours) in enumerate(zip(caller.same, own.same, strict=True)):
        if theirs != ours and not (any_group and index == CGROUP):
            raise Differs("context")


def adopt_limits(caller: Context, own: Context) -> None:
    """Take over the caller's resource limits; Differs when one is above what this process may have."""
    if caller.limits == own.limits:
        return
    try:
        for limit in LIMITS:
            wanted = resource.prlimit(caller.pid, limit)
            if wanted != resource.getrlimit(limit):
                resource.setrlimit(limit, wanted)
    except (OSError, ValueError) as error:
        raise Differs("limits") from error


def adopt_oom_score(caller: Context, own: Context) -> None:
    if caller.oom_score_adj == own.oom_score_adj:
        return
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(caller.oom_score_adj)
    except OSError as error:
        raise Differs("oom_score_adj") from error


def _credentials(connection: socket.socket) -> tuple[int, int, int]:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, gid = struct.unpack("=iII", raw)
    return pid, uid, gid


def _pidfd(connection: socket.socket, pid: int) -> int:
    try:
        return connection.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD)
    except OSError:
        pass
    try:
        return os.pidfd_open(pid)
    except OSError as error:
        raise Differs("gone") from error


def _between(text: str, first: str, end: str) -> str:
    """Return the lines from the one that begins with `first` up to the one that begins with `end`."""
    start = text.index(f"\n{first}") + 1
    return text[start : text.index(f"\n{end}", start)]


def _namespace(proc: int, name: str) -> str:
    try:
        return os.readlink(f"ns/{name}", dir_fd=proc)
    except FileNotFoundError:
        return ""


def _read(directory: int | None, name: str) -> str:
    """Return a small file's text; "" where the kernel has no such file, or (attr/current) nothing to say."""
    try:
        fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=directory)
    except FileNotFoundError:
        return ""
    try:
        return os.read(fd, 1 << 14).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
    finally:
        os.close(fd)
