"""criu(8) as a worker of ours: one request, what it tells meanwhile, and its answer.

 this process                              criu swrk FD (a child)
   |-- request: type, options ----------------->|
   |<-- notice: script, pid (maybe an fd) ------|  it waits
   |-- whether to go on ----------------------->|
   |<-- answer: success, pid ------------------|  and ends

What it restores becomes this process's child (rst_sibling), so both commands run without a keeper.
Spec: criu, images/rpc.proto; criu.org, "RPC".
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
from collections.abc import Callable, Collection

import msgspec

from jubako.errors import FailedPrecondition, JubakoError
from jubako.linux import fd as fds_of
from jubako.runtime.oci import criu_wire as wire

DUMP, RESTORE, PRE_DUMP, _NOTIFY, _FEATURE_CHECK = 1, 2, 4, 6, 9
MEMORY_TRACKING, LAZY_PAGES = 1, 2
_TYPES = {DUMP: "DUMP", RESTORE: "RESTORE", PRE_DUMP: "PRE_DUMP", _FEATURE_CHECK: "FEATURE_CHECK"}
_MESSAGE_BYTES = 65536
_ERRORS_SHOWN = 3

# criu_opts of rpc.proto
_OPTIONS = {
    "images_dir_fd": 1, "pid": 2, "leave_running": 3, "ext_unix_sk": 4, "tcp_established": 5, "evasive_devices": 6,
    "shell_job": 7, "file_locks": 8, "log_level": 9, "log_file": 10, "page_server": 11, "notify_scripts": 12,
    "root": 13, "parent_image": 14, "track_mem": 15, "auto_dedup": 16, "work_dir_fd": 17, "ext_mnt": 23,
    "manage_cgroups": 24, "cg_root": 25, "rst_sibling": 26, "inherit_fd": 27, "manage_cgroups_mode": 34,
    "external": 37, "empty_ns": 38, "join_ns": 39, "lazy_pages": 48, "orphan_pts_master": 50, "config_file": 51,
    "lsm_profile": 53,
}  # fmt: skip


class Notice(msgspec.Struct, frozen=True):
    """What criu has come to. `pid` is the first process's; an fd in `fds` is the receiver's to close."""

    script: str
    pid: int
    fds: list[int]


class Options:
    """Options of a request by their names in rpc.proto; pairs are messages of two fields."""

    def __init__(self, **values: wire.Value) -> None:
        self._fields: list[tuple[int, wire.Value]] = []
        for name, value in values.items():
            self.add(name, value)

    def add(self, name: str, value: wire.Value) -> None:
        self._fields.append((_OPTIONS[name], value))

    def add_pair(self, name: str, first: wire.Value, second: wire.Value) -> None:
        self.add(name, wire.encode([(1, first), (2, second)]))

    def encode(self) -> bytes:
        return wire.encode(self._fields)


def find() -> str:
    """Its path. Raises FailedPrecondition where it is not installed."""
    path = shutil.which("criu")
    if not path:
        raise FailedPrecondition("checkpoint and restore need criu(8), which is not installed")
    return path


class Worker:
    """One criu process, for one request. `log` names the file that tells what it did."""

    def __init__(self, fds: Collection[int] = (), log: str = "") -> None:
        self._log = log
        self._mine, theirs = fds_of.packet_pair()
        try:
            # Its streams are the caller's: a restored program gets them by number.
            self._process = subprocess.Popen([find(), "swrk", str(theirs)], pass_fds=[theirs, *fds], cwd="/")
        except BaseException:
            os.close(self._mine)
            raise
        finally:
            os.close(theirs)
        self._end = os.pidfd_open(self._process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    def perform(self, kind: int, options: Options, notified: Callable[[Notice], None]) -> None:
        """Raises what `notified` raises, having told criu to undo all, and FailedPrecondition when criu fails."""
        self._send([(1, kind), (2, options.encode())])
        failure: Exception | None = None
        while True:
            answer, fds = self._receive()
            if answer.get(1) != _NOTIFY:
                break
            failure = failure or _tell(notified, _notice(answer, fds))
            self._send([(1, _NOTIFY), (3, not failure)])
        if failure:
            raise failure
        if not answer.get(2):
            raise self._failed(kind, answer)

    def _failed(self, kind: int, answer: dict[int, int | bytes]) -> FailedPrecondition:
        """In runc's words, which engines show, and with the log's last errors."""
        if not answer:
            return FailedPrecondition("criu failed: it ended without an answer; `criu check` tells what it misses")
        said = f"criu failed: type {_TYPES[kind]} errno {answer.get(7, 0)!s}"
        reason = _last_errors(self._log)
        return FailedPrecondition(f"{said}: {reason}\nlog file: {self._log}" if reason else said)

    def supports(self, feature: int) -> bool:
        """Whether criu can do it (MEMORY_TRACKING, LAZY_PAGES) on this kernel."""
        self._send([(1, _FEATURE_CHECK), (5, wire.encode([(feature, True)]))])
        features = self._receive()[0].get(8, b"")
        return isinstance(features, bytes) and bool(wire.decode(features).get(feature))

    def _receive(self) -> tuple[dict[int, int | bytes], list[int]]:
        """One message; an empty one when it has ended, whether or not it read what it was sent.

        What it was about to restore may have the connection for longer.
        """
        poll = select.poll()
        poll.register(self._mine, select.POLLIN)
        poll.register(self._end, select.POLLIN)
        if self._mine not in dict(poll.poll()):
            return {}, []
        try:
            data, fds = fds_of.receive_fds(self._mine, _MESSAGE_BYTES)
        except ConnectionResetError:
            return {}, []
        return wire.decode(data), fds

    def _send(self, fields: list[tuple[int, wire.Value]]) -> None:
        with contextlib.suppress(BrokenPipeError):  # that it has ended shows where it is to answer
            os.write(self._mine, wire.encode(fields))

    def close(self) -> None:
        """It ends with its connection, if it has not."""
        fds_of.close_all([self._mine, self._end])
        self._process.wait()


def require(feature: int, name: str) -> None:
    """Raises FailedPrecondition when criu can not do what the option `name` needs."""
    worker = Worker()
    try:
        if not worker.supports(feature):
            raise FailedPrecondition(f"CRIU is missing features: {name} can not be done on this kernel")
    finally:
        worker.close()


def _tell(notified: Callable[[Notice], None], notice: Notice) -> Exception | None:
    try:
        notified(notice)
    except (JubakoError, OSError) as error:
        return error
    return None


def _notice(answer: dict[int, int | bytes], fds: list[int]) -> Notice:
    inner = answer.get(5, b"")
    fields = wire.decode(inner) if isinstance(inner, bytes) else {}
    script, pid = fields.get(1, b""), fields.get(2, 0)
    return Notice(script.decode() if isinstance(script, bytes) else "", pid if isinstance(pid, int) else 0, fds)


def _last_errors(path: str) -> str:
    """The reason, and what followed from it; errors before that criu has got over."""
    try:
        with open(path, errors="replace") as file:
            lines = [line.partition("Error ")[2].strip() for line in file if "Error (" in line]
    except OSError:
        return ""
    return "; ".join([line for line in lines if not line.endswith("FAILED.")][-_ERRORS_SHOWN:])
