"""What a RUN asks for that the build's caller must have allowed: the host's network, privileges, devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jubako.build import entitlements
from jubako.build.convert.scope import Place, Scope
from jubako.build.dockerfile.devices import DeviceFlag
from jubako.build.dockerfile.instructions import Run
from jubako.build.dockerfile.source import DockerfileError
from jubako.errors import InvalidArgument

if TYPE_CHECKING:
    from jubako.runtime.cdi import Devices


def check_allowed(scope: Scope, instruction: Run) -> None:
    """Raises DockerfileError."""
    granted = scope.workshop.conditions.entitlements
    if instruction.network == "host" and not granted.host_network:
        raise _refused(scope, instruction, entitlements.NETWORK_HOST)
    if instruction.security == "insecure" and not granted.insecure:
        raise _refused(scope, instruction, entitlements.SECURITY_INSECURE)


def convert_devices(scope: Scope, instruction: Run) -> list[str]:
    """The devices' whole names; what is not there and not required is left out. Raises DockerfileError."""
    if not instruction.devices:
        return []
    from jubako.runtime.cdi import Devices

    devices = Devices(scope.workshop.conditions.device_directories)
    names = [name for flag in instruction.devices for name in _names(scope, instruction, flag, devices)]
    return list(dict.fromkeys(names))


def _names(scope: Scope, instruction: Run, flag: DeviceFlag, devices: Devices) -> list[str]:
    granted = scope.workshop.conditions.entitlements
    try:
        found = devices.find(flag.name)
    except InvalidArgument as error:
        raise scope.fail(flag.at, error.message, hint=error.hint) from None
    if flag.required and not found:
        hint = "\n".join(devices.broken) or None
        raise scope.fail(flag.at, f'required device "{flag.name}" is not registered', hint=hint)
    for device in found:
        if not (device.allowed or granted.device(device.name)):
            raise _refused(scope, instruction, f"{entitlements.DEVICE}={device.name}")
    return [device.name for device in found]


def _refused(scope: Scope, instruction: Run, what: str) -> DockerfileError:
    return Place(scope.source, instruction).error(f"{what} is not allowed", f"allow it with --allow {what}")
