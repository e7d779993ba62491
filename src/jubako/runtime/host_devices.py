"""Device nodes as the host has them, for containers that are given some."""

from __future__ import annotations

import os
import stat

from jubako.errors import InvalidArgument
from jubako.spec.oci_runtime import Device


def host_device(source: str, path: str) -> Device:
    """The host's device `source`, to be at `path`. InvalidArgument where there is none."""
    try:
        status = os.stat(source)
    except OSError:
        raise InvalidArgument(
            f'error gathering device information while adding custom device "{source}": no such file or directory'
        ) from None
    if not is_device(status):
        raise InvalidArgument(f'error gathering device information: "{source}" is not a device node')
    return device_of(status, path)


def is_device(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)


def device_of(status: os.stat_result, path: str) -> Device:
    return Device(
        type="c" if stat.S_ISCHR(status.st_mode) else "b",
        path=path,
        major=os.major(status.st_rdev),
        minor=os.minor(status.st_rdev),
        file_mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
    )
