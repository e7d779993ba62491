"""Which packages a root file system says it has: dpkg's, apk's and Python's own records.

Records are the image's and hostile: opened inside the root, bounded, and read as text that may be anything.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from email.parser import HeaderParser

import msgspec

from jubako.linux.openat2 import open_in_root

_LIMIT_BYTES = 64 << 20
_HEADER_BYTES = 1 << 20
_PYTHON = re.compile(r"(.*/)?(?:site|dist)-packages/[^/]+\.(?:dist-info/METADATA|egg-info/PKG-INFO|egg-info)")


class Package(msgspec.Struct, frozen=True, order=True):
    """`kind` is the type of its package URL: deb, apk or pypi."""

    kind: str
    name: str
    version: str
    architecture: str = ""
    license: str = ""
    source: str = ""


class Release(msgspec.Struct, frozen=True):
    """The distribution, as os-release has it."""

    id: str = "linux"
    version: str = ""


def packages(root_fd: int) -> list[Package]:
    """Every package of the root, sorted, each once."""
    return sorted({*_dpkg(root_fd), *_apk(root_fd), *_python(root_fd)})


def release(root_fd: int) -> Release:
    text = _read(root_fd, "etc/os-release") or _read(root_fd, "usr/lib/os-release")
    fields = dict(line.partition("=")[::2] for line in text.splitlines())
    return Release(fields.get("ID", "linux").strip("\"'"), fields.get("VERSION_ID", "").strip("\"'"))


def _dpkg(root_fd: int) -> Iterator[Package]:
    files = [
        "var/lib/dpkg/status",
        *(f"var/lib/dpkg/status.d/{name}" for name in _names(root_fd, "var/lib/dpkg/status.d")),
    ]
    for path in files:
        for block in _read(root_fd, path).split("\n\n"):
            fields = _fields(block, ": ")
            installed = fields.get("Status", "install ok installed").endswith(" installed")
            if installed and fields.get("Package") and fields.get("Version"):
                yield Package(
                    "deb",
                    fields["Package"],
                    fields["Version"],
                    fields.get("Architecture", ""),
                    source=fields.get("Source", ""),
                )


def _apk(root_fd: int) -> Iterator[Package]:
    for path in ("lib/apk/db/installed", "usr/lib/apk/db/installed"):
        for block in _read(root_fd, path).split("\n\n"):
            fields = _fields(block, ":")
            if fields.get("P") and fields.get("V"):
                yield Package(
                    "apk", fields["P"], fields["V"], fields.get("A", ""), fields.get("L", ""), fields.get("o", "")
                )


def _python(root_fd: int) -> Iterator[Package]:
    for path in _files(root_fd):
        if not _PYTHON.fullmatch(path):
            continue
        fields = HeaderParser().parsestr(_read(root_fd, path, _HEADER_BYTES))
        name, version = str(fields.get("Name", "")), str(fields.get("Version", ""))
        if name and version:
            licensed = str(fields.get("License-Expression") or "")
            yield Package("pypi", re.sub(r"[-_.]+", "-", name).lower(), version, license=licensed)


def _fields(block: str, separator: str) -> dict[str, str]:
    """`key: value` lines; lines that go on (they begin with a space) are left out, and the first value stays."""
    found: dict[str, str] = {}
    for line in block.splitlines():
        key, found_separator, value = line.partition(separator)
        if found_separator and not line[:1].isspace():
            found.setdefault(key, value.strip())
    return found


def _files(root_fd: int) -> Iterator[str]:
    for directory, _, names in os.walk(f"/proc/self/fd/{root_fd}/."):
        inside = directory.partition("/.")[2].lstrip("/")
        if inside.endswith(("-info", "-packages")):
            yield from (f"{inside}/{name}" for name in names)


def _names(root_fd: int, path: str) -> list[str]:
    try:
        fd = open_in_root(root_fd, path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return []
    try:
        return sorted(os.listdir(fd))
    finally:
        os.close(fd)


def _read(root_fd: int, path: str, limit: int = _LIMIT_BYTES) -> str:
    """The text of a regular file, or "" where there is none."""
    try:
        with open(open_in_root(root_fd, path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""
