"""Devices of a container beyond the ones that every container has: --device and --privileged."""

from __future__ import annotations

import os

from jubako.engine.options import CreateOptions
from jubako.errors import InvalidArgument
from jubako.runtime import defaults
from jubako.runtime.host_devices import device_of, host_device, is_device
from jubako.spec.oci_runtime import Device, DeviceRule

_OWN_DIRECTORIES = frozenset({"pts", "shm", "fd", "mqueue", ".udev"})
_OWN_NODES = frozenset({"/dev/console", "/dev/ptmx", *(f"/dev/{name}" for name, _, _ in defaults.DEVICES)})
"""runc, libcontainer/devices: GetDevices."""


def compile_devices(options: CreateOptions, rules: list[DeviceRule]) -> list[Device]:
    """The nodes to make; for those of --device also adds the rules that let the container use them."""
    devices = _of_host("/dev") if options.privileged else []
    for text in options.devices:
        source, path, access = parse(text)
        device = host_device(source, path)
        devices.append(device)
        rules.append(DeviceRule(allow=True, type=device.type, major=device.major, minor=device.minor, access=access))
    return devices


def parse(text: str) -> tuple[str, str, str]:
    """Source, path in the container and access of `SOURCE[:PATH][:rwm]`; raises InvalidArgument in Docker's words."""
    fields = text.split(":")
    if len(fields) > 3 or not fields[0]:
        raise InvalidArgument(f"bad format for path: {text}")
    access = fields.pop() if len(fields) > 1 and (len(fields) == 3 or not set(fields[-1]) - set("rwm")) else "rwm"
    if not access or set(access) - set("rwm"):
        raise InvalidArgument(f"bad mode specified: {access}")
    source, path = fields[0], fields[-1]
    if not path.startswith("/"):
        raise InvalidArgument(f"{path} is not an absolute path")
    return source, path, access


def _of_host(directory: str) -> list[Device]:
    """What --privileged gives: every device of the host, but for those that a container has of its own."""
    found = []
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in _OWN_DIRECTORIES:
                found += _of_host(entry.path)
        elif entry.path not in _OWN_NODES and is_device(status := entry.stat(follow_symlinks=False)):
            found.append(device_of(status, entry.path))
    return found
