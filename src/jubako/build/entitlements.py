"""`--allow`: what a RUN may have only when its build's caller says so.

network.host        RUN --network=host; `build --network=host` says so too
security.insecure   RUN --security=insecure
device[=NAME]       RUN --device: all devices, or those that NAME stands for

Spec: Dockerfile reference, "RUN --network", "RUN --security"; buildx, "--allow".
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jubako.errors import InvalidArgument

NETWORK_HOST, SECURITY_INSECURE, DEVICE = "network.host", "security.insecure", "device"


class Entitlements(msgspec.Struct, frozen=True):
    """What was granted; `devices` are names, and "" is every device."""

    host_network: bool = False
    insecure: bool = False
    devices: frozenset[str] = frozenset()

    def device(self, name: str) -> bool:
        """Whether the device with this whole name may be used."""
        return bool({"", name, name.partition("=")[0]} & self.devices)


def entitlements(texts: Sequence[str], *, network: str) -> Entitlements:
    """What `--allow` grants, and the `network` of the build. Raises InvalidArgument."""
    devices = set()
    for text in texts:
        kind, equals, name = text.partition("=")
        if kind == DEVICE and (name or not equals):
            devices.add(name)
        elif text not in (NETWORK_HOST, SECURITY_INSECURE):
            known = f"{NETWORK_HOST}, {SECURITY_INSECURE}, {DEVICE} or {DEVICE}=NAME"
            raise InvalidArgument(f"unknown entitlement {text}", hint=f"it is {known}")
    return Entitlements(
        host_network=NETWORK_HOST in texts or network == "host",
        insecure=SECURITY_INSECURE in texts,
        devices=frozenset(devices),
    )
