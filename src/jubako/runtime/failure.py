"""The executor's failure records, as errors that a person understands."""

from __future__ import annotations

import errno
import os
import signal
import struct

import msgspec

from jubako.errors import (
    DataLoss,
    FailedPrecondition,
    InvalidArgument,
    JubakoError,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
)
from jubako.linux import required
from jubako.runtime import opcodes as op

_RECORD = struct.Struct("=IIIIiHH")
_EXHAUSTED = frozenset(
    {errno.ENOSPC, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.EDQUOT, errno.EUSERS}
)
_WORDS = {
    op.RUN_DIR: "use the run directory",
    op.CLONE: "make namespaces and the first process",
    op.JOIN: "join a namespace",
    op.ID_MAP: "map user and group ids",
    op.CGROUP_TASKS: "join a cgroup",
    op.STDIO: "open the standard streams",
    op.LOG: "open the log",
    op.ATTACH: "listen for clients",
    op.PROPAGATION: "make the mounts private",
    op.UNSHARE: "make a cgroup namespace",
    op.ROOT_FILESYSTEM: "mount the root filesystem",
    op.ROOT_BIND: "bind the root filesystem",
    op.FILESYSTEM: "mount",
    op.BIND: "bind",
    op.MKDIR: "make the working directory",
    op.SYMLINK: "make the link",
    op.MKNOD: "make the device",
    op.BIND_DEVICE: "bind the device",
    op.MASK: "mask",
    op.READONLY: "make read-only",
    op.ATTRIBUTES: "change the mount",
    op.CONSOLE: "open a terminal",
    op.PIVOT: "change the root",
    op.SYSCTL: "set the sysctl",
    op.RLIMIT: "set a resource limit",
    op.OOM_SCORE: "set the OOM score",
    op.USER: "change user",
    op.CAPABILITIES: "set capabilities",
    op.SECCOMP: "load the seccomp filter",
    op.LABEL: "ask the kernel's security module for",
    op.DIRECTORY: "change to the working directory",
    op.TIME: "make a time namespace",
    op.SCHEDULER: "set the scheduler",
    op.IO_PRIORITY: "set the I/O priority",
    op.FIRST_AFFINITY: "set the processors (execCPUAffinity.initial)",
    op.AFFINITY: "set the processors (execCPUAffinity.final)",
    op.PERSONALITY: "set the personality",
    op.MEMORY_POLICY: "set the memory policy",
}


class Failure(msgspec.Struct, frozen=True):
    """One record: which operation of which process failed, on what path, and what the kernel said besides."""

    stage: int
    operation: int
    index: int
    error: int
    path: str
    detail: str


def decode(message: bytes) -> Failure:
    """Decode a FAILED message."""
    _, stage, operation, index, error, path_length, detail_length = _RECORD.unpack_from(message)
    text = message[_RECORD.size :]
    path, detail = text[:path_length], text[path_length : path_length + detail_length]
    return Failure(stage, operation, index, error, os.fsdecode(path), os.fsdecode(detail))


def to_error(failure: Failure) -> JubakoError:
    """NotFound and PermissionDenied speak of the program only (exit codes 127 and 126)."""
    if failure.operation in (op.EXECUTE, op.FIND):
        return _program_error(failure)
    if failure.stage == op.STAGE_DECODE:
        return DataLoss(f"the executor refused the plan: {os.strerror(failure.error)}")
    if failure.operation == op.HOOK:
        return _hook_error(failure)
    what = _WORDS.get(failure.operation) or op.NAMES.get(failure.operation, "start").lower()
    where = f" {failure.path}" if failure.path else ""
    detail = f" ({failure.detail.partition(' ')[2]})" if failure.detail else ""
    reason = os.strerror(failure.error).lower() + required.explanation(failure.error)
    message = f"failed to {what}{where}: {reason}{detail}"
    if failure.error in _EXHAUSTED:
        return ResourceExhausted(message)
    if failure.error in (errno.EINVAL, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR):
        return InvalidArgument(message)
    return FailedPrecondition(message)


def _hook_error(failure: Failure) -> JubakoError:
    name, _, said = failure.detail.partition(": ")
    said = said or os.strerror(failure.error).lower()
    if said.startswith("signal "):
        said = _signal_words(said)
    if failure.error == errno.ETIMEDOUT:
        said = "did not end in time"
    return FailedPrecondition(f"error running {name}: {failure.path}: {said}")


def _signal_words(said: str) -> str:
    """ "signal 31: reason" as "signal: bad system call: reason"."""
    number, colon, rest = said.removeprefix("signal ").partition(":")
    return f"signal: {(signal.strsignal(int(number)) or number).lower()}{colon}{rest}"


def _program_error(failure: Failure) -> JubakoError:
    name, said = failure.path, os.strerror(failure.error).lower() + required.explanation(failure.error)
    if failure.error in (errno.ENOENT, errno.ENOTDIR):
        if failure.detail:  # the program is there, its interpreter is not
            return NotFound("executable", name, message=f"exec {name}: {said}")
        if "/" in name:
            return NotFound("executable", name, message=f'exec: "{name}": stat {name}: {said}')
        return NotFound("executable", name, message=f'exec: "{name}": executable file not found in $PATH')
    if failure.error == errno.ENOEXEC:
        said = "exec format error"
    return PermissionDenied(f'exec: "{name}": {said}')
