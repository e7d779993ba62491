"""Seccomp filters as BPF, compiled once and kept: in memory, and in a cache directory.

Invariant:    a file's name says of what profile, capabilities, machine, kernel version and compiler it is.
Concurrency:  many processes; a file appears by rename and never changes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from jubako.runtime import process, seccomp_bpf, seccomp_profile
from jubako.spec.oci_runtime import Seccomp

_REVISION = 3  # of the compiler: another one makes other files
_programs: dict[tuple[frozenset[str], bytes | None], bytes] = {}


def program(cache_dir: str | os.PathLike[str], capabilities: Sequence[str], profile: bytes | None = None) -> bytes:
    """The filter of `profile` (JSON; None is Docker's default) for a container with these capabilities.

    Raises InvalidArgument for a profile that is wrong.
    """
    key = (frozenset(capabilities), profile)
    if key not in _programs:
        _programs[key] = _cached(os.fspath(cache_dir), key[0], profile)
    return _programs[key]


def forget() -> None:
    """Look at the profiles again when they are next asked for."""
    _programs.clear()


def of_specification(seccomp: Seccomp) -> bytes:
    """The filter of a config.json, whose rules hold without conditions."""
    import msgspec

    return _compile(msgspec.json.encode(seccomp), frozenset())


def _cached(cache_dir: str, capabilities: frozenset[str], profile: bytes | None) -> bytes:
    path = os.path.join(cache_dir, f"{_name(capabilities, profile)}.bpf")
    try:
        with open(path, "rb") as file:
            found = file.read()
        if found and len(found) % 8 == 0:
            return found
    except OSError:
        pass  # not there, or not to be had: then it is compiled
    if profile is None:
        with open(seccomp_profile.default_path(), "rb") as file:
            profile = file.read()
    compiled = _compile(profile, capabilities)
    _keep(path, compiled)
    return compiled


def _name(capabilities: frozenset[str], profile: bytes | None) -> str:
    if profile is None:
        status = os.stat(seccomp_profile.default_path())
        source = f"default-{status.st_size}-{status.st_mtime_ns}"
    else:
        import hashlib

        source = hashlib.sha256(profile).hexdigest()
    major, minor = _kernel()
    return f"{source}-{os.uname().machine}-{major}.{minor}-{process.mask(sorted(capabilities)):x}-{_REVISION}"


def _compile(profile: bytes, capabilities: frozenset[str]) -> bytes:
    decoded = seccomp_profile.decode(profile)
    return seccomp_bpf.assemble(seccomp_profile.resolve(decoded, capabilities, os.uname().machine, _kernel()))


def _kernel() -> tuple[int, int]:
    fields = os.uname().release.split(".")
    minor = "".join(c for c in fields[1] if c.isdigit()) if len(fields) > 1 else ""
    return int(fields[0]), int(minor or 0)


def _keep(path: str, data: bytes) -> None:
    """A cache that can not be written costs time only."""
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(data)
        os.rename(temporary, path)
    except OSError:
        return
