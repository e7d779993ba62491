"""Device nodes, the links of /dev and the terminal, as operations of the first process.

Spec: OCI runtime-spec, config-linux.md "Devices" and "Default Devices".
"""

from __future__ import annotations

import stat

from jubako.errors import InvalidArgument
from jubako.runtime import defaults, mount_options
from jubako.runtime import opcodes as op
from jubako.runtime.plan import Plan
from jubako.spec.oci_runtime import Box, Device, Process, Spec

_TYPES = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}


def add_devices(plan: Plan, spec: Spec, extra: list[Device], *, bind: bool) -> None:
    """Nothing is made in a /dev that is bound from elsewhere. `bind`: nodes can not be made, the host's are bound."""
    if any(mount.destination == "/dev" and mount_options.parse(mount).bind for mount in spec.mounts):
        return
    given = {device.path for device in extra}
    for name, major, minor in defaults.DEVICES:
        if f"/dev/{name}" not in given:
            _add_device(plan, Device(type="c", path=f"/dev/{name}", major=major, minor=minor), bind=bind)
    for device in extra:
        if device.path != "/dev/ptmx":  # the container's own devpts has it, and the link leads there
            _add_device(plan, device, bind=bind)
    for name, target in defaults.DEVICE_LINKS:
        plan.add(op.SYMLINK, target, f"/dev/{name}")


def _add_device(plan: Plan, device: Device, *, bind: bool) -> None:
    if device.type not in _TYPES:
        raise InvalidArgument(f"device {device.path}: unknown type {device.type!r}")
    kind = _TYPES[device.type]
    if bind and kind != stat.S_IFIFO:
        plan.add(op.BIND_DEVICE, kind, device.major, device.minor, device.path, device.path)
        return
    mode = 0o666 if device.file_mode is None else device.file_mode & 0o7777
    plan.add(op.MKNOD, kind | mode, device.major, device.minor, device.uid or 0, device.gid or 0, device.path)


def add_console(plan: Plan, process: Process, console_socket: int, *, plain: bool) -> None:
    """A terminal from the container's own devpts; its master goes to `console_socket`, or to the monitor (-1). `plain`:
    the end of a line is no CR LF."""
    size = process.console_size or Box()
    plan.add(op.CONSOLE, console_socket, size.height, size.width, int(plain), "/dev/pts")
