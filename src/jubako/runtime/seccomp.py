"""Seccomp filters of profiles: compiled once, and kept in memory and in a cache directory.

A filter that is there costs a start no look into its profile: the compiler is imported by those that need it.

Invariant:    a file's name says of what profile, capabilities, machine, kernel version and compiler it is.
Concurrency:  many processes; a file appears by rename and never changes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import msgspec

from jubako.errors import InvalidArgument
from jubako.runtime import process, seccomp_cache
from jubako.runtime.launch import Agent, Filter
from jubako.spec.oci_runtime import Seccomp

_REVISION = 4  # of the compiler: another one makes other files
_DEFAULT_FLAGS = ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]
_WAIT_KILLABLE = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
FLAGS = {
    "SECCOMP_FILTER_FLAG_TSYNC": 1 << 0,
    "SECCOMP_FILTER_FLAG_LOG": 1 << 1,
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW": 1 << 2,
    _WAIT_KILLABLE: 1 << 5,
}
NEW_LISTENER = 1 << 3
_STATE = ("ociVersion", "fds", "id", "status", "bundle", "annotations")
State = Mapping[str, object]
_filters: dict[tuple[frozenset[str], bytes | None], Filter] = {}


def of_profile(cache_dir: str | os.PathLike[str], capabilities: Sequence[str], profile: bytes | None = None) -> Filter:
    """The filter of `profile` (JSON; None is Docker's default) for a container with these capabilities.

    Raises InvalidArgument for a profile that is wrong.
    """
    key = (frozenset(capabilities), profile)
    if key not in _filters:
        flags = None if profile is None else _flags_of(profile)
        _filters[key] = Filter(_cached(os.fspath(cache_dir), key[0], profile), _flags(flags, notifies=False))
    return _filters[key]


def _flags_of(profile: bytes) -> list[str] | None:
    from jubako.runtime import seccomp_profile

    decoded = seccomp_profile.decode(profile)
    if any(rule.action == "SCMP_ACT_NOTIFY" for rule in decoded.syscalls or []):
        raise InvalidArgument("seccomp: SCMP_ACT_NOTIFY is only for containers of an OCI runtime")
    return decoded.flags


def forget() -> None:
    """Look at the profiles again when they are next asked for."""
    _filters.clear()


def of_specification(seccomp: Seccomp | None, state: State, *, pid: int = 0) -> Filter | None:
    """The filter of a config.json, whose rules hold without conditions.

    An agent is told the container's `state`; `pid` is its first process's, or 0 when that is the one to be filtered.
    """
    if not seccomp or not (seccomp.default_action or seccomp.syscalls):
        return None
    notifies = any(rule.action == "SCMP_ACT_NOTIFY" for rule in seccomp.syscalls or [])
    if seccomp.listener_metadata and not seccomp.listener_path:
        raise InvalidArgument("seccomp: listenerMetadata is set, but listenerPath is not set")
    if notifies and not seccomp.listener_path:
        raise InvalidArgument("seccomp: SCMP_ACT_NOTIFY is used, but listenerPath is not set")
    flags = _flags(seccomp.flags, notifies=notifies)
    program = _cached(seccomp_cache.runtime_directory(), frozenset(), msgspec.json.encode(seccomp))
    return Filter(program, flags, _agent(seccomp, state, pid) if notifies else None)


def _flags(names: list[str] | None, *, notifies: bool) -> int:
    """As runc's: without a word of them speculation stays as it is, which costs far less than what it prevents."""
    flags = 0
    for name in _DEFAULT_FLAGS if names is None else names:
        if name not in FLAGS:
            raise InvalidArgument(f"seccomp flag {name} is not known")
        flags |= FLAGS[name]
    if flags & FLAGS[_WAIT_KILLABLE]:  # since 5.19; the others are older than all that we run on
        if not notifies:
            raise InvalidArgument(f"seccomp flag {_WAIT_KILLABLE} is only for filters with SCMP_ACT_NOTIFY")
        if not supports(_WAIT_KILLABLE):
            raise InvalidArgument(f"seccomp flag {_WAIT_KILLABLE} is not supported by this kernel")
    return flags


def supports(flag: str) -> bool:
    """Whether this kernel does."""
    from jubako.linux import seccomp

    return seccomp.supports(FLAGS[flag] | (NEW_LISTENER if flag == _WAIT_KILLABLE else 0))


def _agent(seccomp: Seccomp, state: State, pid: int) -> Agent:
    """ContainerProcessState: the filtered process's pid stands in it twice when it is the container's first."""
    version = state["ociVersion"]
    container = _open_object(state) + b',"pid":' + (b"%d}}" % pid if pid else b"")
    pieces = [
        _open_object({"ociVersion": version, "fds": ["seccompFd"]}) + b',"pid":',
        b',"metadata":' + msgspec.json.encode(seccomp.listener_metadata) + b',"state":' + container,
        *([] if pid else [b"}}"]),
    ]
    return Agent(os.path.abspath(seccomp.listener_path), [piece.decode() for piece in pieces])


def _open_object(document: State) -> bytes:
    """Its JSON without the last brace, for the pid to follow."""
    return msgspec.json.encode({name: document[name] for name in _STATE if name in document})[:-1]


def _cached(directory: str, capabilities: frozenset[str], profile: bytes | None) -> bytes:
    name = f"{_name(capabilities, profile)}.bpf"
    found = seccomp_cache.read(directory, name)
    if found is None:
        found = _compile(_default() if profile is None else profile, capabilities)
        seccomp_cache.write(directory, name, found)
    return found


def default_path() -> str:
    """Docker's default profile."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "seccomp.json")


def _default() -> bytes:
    with open(default_path(), "rb") as file:
        return file.read()


def _name(capabilities: frozenset[str], profile: bytes | None) -> str:
    if profile is None:
        status = os.stat(default_path())
        source = f"default-{status.st_size}-{status.st_mtime_ns}"
    else:
        source = _digest(profile)
    major, minor = _kernel()
    return f"{source}-{os.uname().machine}-{major}.{minor}-{process.mask(sorted(capabilities)):x}-{_REVISION}"


def _digest(data: bytes) -> str:
    """hashlib would load OpenSSL, which takes longer than the rest of a container's start in Python."""
    try:
        from _blake2 import blake2b
    except ImportError:  # a Python that was built without its own
        from hashlib import blake2b
    return blake2b(data, digest_size=32).hexdigest()


def _compile(profile: bytes, capabilities: frozenset[str]) -> bytes:
    from jubako.runtime import seccomp_bpf, seccomp_profile

    decoded = seccomp_profile.decode(profile)
    return seccomp_bpf.assemble(seccomp_profile.resolve(decoded, capabilities, os.uname().machine, _kernel()))


def _kernel() -> tuple[int, int]:
    fields = os.uname().release.split(".")
    minor = "".join(c for c in fields[1] if c.isdigit()) if len(fields) > 1 else ""
    return int(fields[0]), int(minor or 0)
