"""What the automatic collection of the build cache may take: policies, by configuration or BuildKit's defaults.

Files:   JUBAKO_BUILDER_CONF, or ~/.config/jubako/builder.toml, or /etc/jubako/builder.toml; the first there is.
Keys:    those of buildkitd.toml's [worker.oci]: gc, reservedSpace, maxUsedSpace, minFreeSpace (and gckeepstorage for
         the first), and tables [[gcpolicy]] with all, keepDuration, filters and the three spaces; no others.
Values:  spaces are bytes, `10GB` (powers of 1024) or `10%` of the disk; durations seconds or `48h`.
Spec:    BuildKit, docs/buildkitd.toml.md; Docker docs, "Build garbage collection".
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from jubako.build.cacheprune import PrunePolicy
from jubako.build.cacheusage import MOUNT
from jubako.errors import InvalidArgument
from jubako.spec.durations import duration_ns
from jubako.spec.sizes import ram_bytes
from jubako.store import configuration as files

_SYSTEM = Path("/etc/jubako/builder.toml")
_GB = 10**9
_HOUR_NS = 3600 * 10**9

Space = str | int


class Disk(NamedTuple):
    """The file system that the state is on."""

    size_bytes: int
    free_bytes: int

    @classmethod
    def of(cls, path: Path) -> Disk:
        status = os.statvfs(path)
        return cls(status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize)


class _Spaces(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    reserved_space: Space = 0
    max_used_space: Space = 0
    min_free_space: Space = 0


class _Policy(_Spaces, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    all: bool = False
    keep_duration: str | int = 0
    filters: list[str] = []


class Configuration(_Spaces, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Without `gc` nothing is collected by itself."""

    gc: bool = True
    gckeepstorage: Space = 0
    gcpolicy: list[_Policy] = []


def load(path: Path | None = None) -> Configuration:
    """The configuration at `path`, or the first of the usual files; the defaults where there is none."""
    path = path or next((candidate for candidate in _candidates() if candidate.exists()), None)
    if path is None:
        return Configuration()
    return files.load(path, Configuration, "the keys are those of buildkitd.toml's [worker.oci]")


def policies(configuration: Configuration, disk: Disk) -> list[PrunePolicy]:
    """In the order in which they are gone through. Raises InvalidArgument for a value that means nothing."""
    if not configuration.gc:
        return []
    try:
        if configuration.gcpolicy:
            return [_policy(each, disk) for each in configuration.gcpolicy]
        return _defaults(_general(configuration, disk))
    except ValueError as error:
        raise InvalidArgument(f"the configuration of the builder: {error}") from None


def parse_filters(texts: Sequence[str]) -> tuple[dict[str, str], int | None]:
    """`NAME=VALUE` or `NAME==VALUE`; several of one name, also with commas between, are alternatives.

    Apart from them is the age that `until` or `unused-for` asks for, in nanoseconds. Raises ValueError.
    """
    filters: dict[str, str] = {}
    age_ns: int | None = None
    for part in [part for text in texts for part in text.split(",")]:
        name, equals, value = part.partition("=")
        value = value.removeprefix("=")
        if name in ("until", "unused-for") and equals:
            age_ns = duration_ns(value)
        else:
            filters[name] = f"{filters[name]},{value}" if name in filters else value
    return filters, age_ns


def _candidates() -> list[Path]:
    if given := os.environ.get("JUBAKO_BUILDER_CONF"):
        return [Path(given)]
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return [Path(home) / "jubako" / "builder.toml", _SYSTEM]


def _general(configuration: Configuration, disk: Disk) -> PrunePolicy:
    """The spaces of the default policies."""
    given = _spaces(configuration, disk)
    if given == PrunePolicy():
        given = PrunePolicy(reserved_bytes=_bytes(configuration.gckeepstorage, disk))
    if given != PrunePolicy():
        return given
    return PrunePolicy(
        reserved_bytes=min(disk.size_bytes // 10, 10 * _GB),
        max_used_bytes=min(disk.size_bytes * 8 // 10, 100 * _GB),
        min_free_bytes=disk.size_bytes // 5,
    )


def _defaults(general: PrunePolicy) -> list[PrunePolicy]:
    """BuildKit's: what is made again with least effort after two days, all else unused for long, then by size."""
    mounts = PrunePolicy(filters={"type": MOUNT}, unused_for_ns=48 * _HOUR_NS, max_used_bytes=512 * 10**6)
    old = replace(general, unused_for_ns=60 * 24 * _HOUR_NS)
    return [mounts, old, general, replace(general, all=True)]


def _policy(given: _Policy, disk: Disk) -> PrunePolicy:
    filters, age_ns = parse_filters(given.filters)
    keep = given.keep_duration
    if keep:
        age_ns = keep * 10**9 if isinstance(keep, int) else duration_ns(f"{keep}s" if keep.isdecimal() else keep)
    return replace(_spaces(given, disk), all=given.all, filters=filters, unused_for_ns=age_ns)


def _spaces(given: _Spaces, disk: Disk) -> PrunePolicy:
    return PrunePolicy(
        reserved_bytes=_bytes(given.reserved_space, disk),
        max_used_bytes=_bytes(given.max_used_space, disk),
        min_free_bytes=_bytes(given.min_free_space, disk),
    )


def _bytes(space: Space, disk: Disk) -> int:
    if isinstance(space, str) and space.endswith("%"):
        percent = space.removesuffix("%")
        if not (percent.isdecimal() and int(percent) <= 100):
            raise ValueError(f"invalid disk space: '{space}'")
        return disk.size_bytes * int(percent) // 100
    size_bytes = ram_bytes(space) if isinstance(space, str) else space
    if size_bytes < 0:
        raise ValueError(f"invalid disk space: '{space}'")
    return size_bytes
