"""What the engine asks of the executor, and what it hears at the end."""

from __future__ import annotations

import os

import msgspec

from jubako.linux.cgroup import CgroupHandle
from jubako.spec.oci_runtime import Mount, Spec


class LogFile(msgspec.Struct, frozen=True):
    """A log in Docker's json-file format, or as CRI has it; `max_size_bytes` 0 is without end."""

    path: str
    max_size_bytes: int = 0
    max_files: int = 1
    cri: bool = False


class Agent(msgspec.Struct, frozen=True):
    """Who answers the notifications of a filter: the path of its socket, and the state that it is told with their fd;
    the process's pid goes between the `pieces`."""

    path: str
    pieces: list[str]


class Filter(msgspec.Struct, frozen=True):
    """A seccomp filter: a BPF program, and SECCOMP_FILTER_FLAG_*."""

    program: bytes
    flags: int = 0
    agent: Agent | None = None


class Launch(msgspec.Struct, kw_only=True):
    """One container.

    `rootfs` is the snapshotter's (empty: spec.root.path is a directory). `stdio` is
    "pipe", "null" or "inherit" (`inherit_fds`, the caller's own streams); a terminal is spec.process.terminal's word.
    `stdin` keeps the container's stdin open for clients, `stdin_once` closes it when the first of them goes.
    `listen` opens attach.sock; `cleanup` is the command that runs at the end when no creator acknowledges it,
    `notice` the one that runs whenever the status of a probe has changed;
    `die_with_creator` kills it when the handle's process is gone.

    `leave` is jubako-oci's: there is no monitor, and whoever adopts orphans becomes the parent. `start_listener` is
    the listening socket at which the process then waits for its start, and which `create` takes over: what connects to
    it must be told when that one process has died. `console_socket` gets its terminal's master, and with `plain_lines`
    that terminal shows an LF as it is.
    `preserve_fds` of the caller's, from 3 on, are the program's too. `hook_state` is an fd of memory that holds the
    state while hooks of the specification run in the container. `pivot` and `keyring` are runc's --no-pivot and
    --no-new-keyring. `trees` are detached mounts by their destinations, in place of what their sources name: the
    executor's `create` takes them over, and leaves none.
    """

    spec: Spec
    run_dir: str | os.PathLike[str]
    rootfs: list[Mount] = []
    trees: dict[str, int] = {}
    cgroup: CgroupHandle | None = None
    seccomp: Filter | None = None
    log: LogFile | None = None
    stdio: str = "pipe"
    inherit_fds: tuple[int, int, int] = (0, 1, 2)
    stdin: bool = False
    stdin_once: bool = False
    attach: bool = False
    listen: bool = True
    keep_fds: list[int] = []
    cleanup: list[str] = []
    notice: list[str] = []
    die_with_creator: bool = False
    console_socket: int = -1
    plain_lines: bool = False
    leave: bool = False
    start_listener: int = -1
    preserve_fds: int = 0
    hook_state: int = -1
    pivot: bool = True
    keyring: bool = True


class Exit(msgspec.Struct, frozen=True):
    """How it ended: `code` is 128 + `signal` for a signal; `started_ns` is 0 for a program that never ran."""

    code: int
    signal: int = 0
    oom: bool = False
    started_ns: int = 0
    finished_ns: int = 0
