"""Devices of the Container Device Interface: what a vendor says a container needs beside the device's node.

Layout:  <directory>/*.json, *.yaml, *.yml    one kind (`vendor.com/class`) a file; of two devices with one name the
                                              one in the later directory counts, in one directory neither
Names:   `vendor.com/class=name`; `vendor.com/class` is its first device, `vendor.com/class=*` all of them, and
         `vendor.com/class=group` those that an annotation puts in that class
Spec:    CDI 1.0, SPEC.md; the annotations are BuildKit's.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from jubako.errors import InvalidArgument
from jubako.spec import decoding, yamltext
from jubako.spec.cdi import ContainerEdits, Device, Specification

DIRECTORIES = ("/etc/cdi", "/var/run/cdi")
_KIND = re.compile(r"[A-Za-z](?:[\w.-]*[A-Za-z0-9])?/[A-Za-z](?:[\w.-]*[A-Za-z0-9])?", re.ASCII)
_CLASS = "org.mobyproject.buildkit.device.class"
_ALLOWED = "org.mobyproject.buildkit.device.autoallow"
_SUFFIXES = (".json", ".yaml", ".yml")
_SIZE_LIMIT = 1 << 20


class Found(msgspec.Struct, frozen=True):
    """One device under its whole name, with the edits of its file before its own."""

    name: str
    annotations: dict[str, str]
    edits: list[ContainerEdits]

    @property
    def allowed(self) -> bool:
        """Whether whoever wrote the file lets everybody have it."""
        return self.annotations.get(_ALLOWED, "").lower() in ("true", "1", "t")


class Devices:
    """The devices of some directories, read when the first one is asked for. `broken` names files that say nothing."""

    def __init__(self, directories: Sequence[str | os.PathLike[str]] = ()) -> None:
        """Of the usual directories, when none are given."""
        self._directories = [Path(directory) for directory in directories or DIRECTORIES]
        self.broken: list[str] = []

    def find(self, name: str) -> list[Found]:
        """What `name` stands for; nothing where there is no such device. Raises InvalidArgument for no device name."""
        kind, _, wanted = name.partition("=")
        if not _KIND.fullmatch(kind):
            raise InvalidArgument(f'invalid device "{name}"', hint="a device is named vendor.com/class=name")
        of_kind = [device for key, device in self._all.items() if key.startswith(f"{kind}=")]
        if not wanted:
            return of_kind[:1]
        if wanted == "*":
            return of_kind
        exact = self._all.get(name)
        return [exact] if exact else [device for device in of_kind if device.annotations.get(_CLASS) == wanted]

    @functools.cached_property
    def _all(self) -> dict[str, Found]:
        found: dict[str, Found] = {}
        for directory in self._directories:
            seen: set[str] = set()
            for device in self._in(directory):
                found[device.name] = device
                if device.name in seen:
                    del found[device.name]
                seen.add(device.name)
        return found

    def _in(self, directory: Path) -> Iterator[Found]:
        paths = sorted(directory.iterdir()) if directory.is_dir() else []
        for path in paths:
            if path.suffix in _SUFFIXES and path.is_file():
                yield from self._read(path)

    def _read(self, path: Path) -> Iterator[Found]:
        try:
            specification = parse(path.read_bytes())
        except (OSError, InvalidArgument) as error:
            self.broken.append(f"{path}: {error}")
            return
        for device in specification.devices:
            yield _found(specification, device)


def parse(data: bytes) -> Specification:
    """A file's content, JSON or YAML. Raises InvalidArgument."""
    if len(data) > _SIZE_LIMIT:
        raise InvalidArgument(f"a device specification is larger than {_SIZE_LIMIT >> 20} MB")
    try:
        found = msgspec.convert(yamltext.load(data), decoding.known(Specification))
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise InvalidArgument(f"not a device specification: {error}") from None
    if not _KIND.fullmatch(found.kind):
        raise InvalidArgument(f"invalid device kind {found.kind!r}")
    return found


def _found(specification: Specification, device: Device) -> Found:
    edits = [edit for edit in (specification.container_edits, device.container_edits) if edit is not None]
    annotations = {**specification.annotations, **device.annotations}
    return Found(f"{specification.kind}={device.name}", annotations, edits)
