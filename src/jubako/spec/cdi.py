"""Files of the Container Device Interface, with their wire names.

Spec: CDI 1.0, SPEC.md "CDI JSON Specification".
"""

from __future__ import annotations

import msgspec


class _Struct(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    pass


class DeviceNode(_Struct, frozen=True, kw_only=True):
    """`host_path` is where the host has it, when not at `path`; what is not said is the host's."""

    path: str
    host_path: str = ""
    type: str = ""
    major: int = 0
    minor: int = 0
    file_mode: int | None = None
    permissions: str = ""
    uid: int | None = None
    gid: int | None = None


class DeviceMount(_Struct, frozen=True, kw_only=True):
    host_path: str
    container_path: str
    type: str = ""
    options: list[str] = []


class DeviceHook(_Struct, frozen=True, kw_only=True):
    hook_name: str
    path: str


class ContainerEdits(_Struct, frozen=True, kw_only=True):
    env: list[str] = []
    device_nodes: list[DeviceNode] = []
    mounts: list[DeviceMount] = []
    hooks: list[DeviceHook] = []
    additional_gids: list[int] = []


class Device(_Struct, frozen=True, kw_only=True):
    name: str
    annotations: dict[str, str] = {}
    container_edits: ContainerEdits | None = None


class Specification(_Struct, frozen=True, kw_only=True):
    cdi_version: str
    kind: str
    annotations: dict[str, str] = {}
    devices: list[Device] = []
    container_edits: ContainerEdits | None = None
