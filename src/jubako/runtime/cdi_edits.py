"""What devices of the Container Device Interface change in a container's specification.

Spec: CDI 1.0, SPEC.md "OCI Edits".
"""

from __future__ import annotations

from collections.abc import Sequence

from jubako.errors import FailedPrecondition
from jubako.runtime.cdi import Found
from jubako.runtime.host_devices import host_device
from jubako.spec.cdi import ContainerEdits, DeviceMount, DeviceNode
from jubako.spec.oci_runtime import Device, DeviceRule, Linux, Mount, Process, Resources, Spec


def inject(spec: Spec, devices: Sequence[Found]) -> None:
    """Change `spec`. Raises FailedPrecondition for a device with hooks, InvalidArgument for one that is not there."""
    for device in devices:
        if any(edit.hooks for edit in device.edits):
            raise FailedPrecondition(f'device "{device.name}" needs hooks, which are not run')
        for edit in device.edits:
            _edit(spec, edit)


def _edit(spec: Spec, edit: ContainerEdits) -> None:
    process = spec.process = spec.process or Process()
    linux = spec.linux = spec.linux or Linux()
    resources = linux.resources = linux.resources or Resources()
    names = {text.partition("=")[0] for text in edit.env}
    process.env = [*(text for text in process.env if text.partition("=")[0] not in names), *edit.env]
    groups = process.user.additional_gids
    process.user.additional_gids = list(dict.fromkeys([*groups, *(gid for gid in edit.additional_gids if gid)]))
    for mount in edit.mounts:
        spec.mounts = [*spec.mounts, _mount(mount)]
    for node in edit.device_nodes:
        device = _device(node)
        linux.devices = [*linux.devices, device]
        access = node.permissions or "rwm"
        rule = DeviceRule(allow=True, type=device.type, major=device.major, minor=device.minor, access=access)
        resources.devices = [*resources.devices, rule]


def _mount(mount: DeviceMount) -> Mount:
    return Mount(
        destination=mount.container_path,
        type=mount.type or "bind",
        source=mount.host_path,
        options=mount.options or ["rbind", "rprivate", "ro"],
    )


def _device(node: DeviceNode) -> Device:
    """The node with what it does not say taken from the host's."""
    if node.type and (node.major or node.minor):
        device = Device(type=node.type, path=node.path, major=node.major, minor=node.minor)
    else:
        device = host_device(node.host_path or node.path, node.path)
    device.file_mode = device.file_mode if node.file_mode is None else node.file_mode
    device.uid = device.uid if node.uid is None else node.uid
    device.gid = device.gid if node.gid is None else node.gid
    return device
