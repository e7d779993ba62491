"""The `--device` flags of RUN: the name of a device of the Container Device Interface, and whether it must be there.

Spec: Dockerfile reference, "RUN --device".
"""

from __future__ import annotations

import msgspec

from jubako.build.dockerfile.source import Text
from jubako.build.truth import truth


class DeviceFlag(msgspec.Struct, frozen=True):
    """One flag; `at` is where it stands."""

    name: str
    required: bool
    at: Text


class BadDevice(ValueError):
    """What is wrong with the flag."""


def parse_device(at: Text) -> DeviceFlag:
    """Read `vendor.com/class=name,required` or `name=vendor.com/class=name,required=true`. Raises BadDevice."""
    name, required = "", False
    for field in at.value.split(","):
        key, equals, value = field.partition("=")
        if key.lower() == "required":
            required = _truth(value if equals else "true")
        elif key.lower() == "name" and equals:
            name = _named(name, value)
        elif not name:
            name = field
        else:
            raise BadDevice(f"unexpected key '{key}' in '{field}': it is name or required")
    if not name:
        raise BadDevice("a device needs a name")
    return DeviceFlag(name, required, at)


def _named(before: str, name: str) -> str:
    if before:
        raise BadDevice(f"device name already set to {before}")
    return name


def _truth(text: str) -> bool:
    value = truth(text)
    if value is None:
        raise BadDevice(f"invalid value for required: {text}")
    return value
